#pragma once

#include "bridge/amqp/engine.hpp"

struct pn_connection_driver_t;

namespace rookery::amqp {

/// What a connection says in OPEN, and how it logs in; before `driver` is
/// bound.
void put_opening(pn_connection_driver_t& driver, engine::side role,
                 const engine_options& options);

/// What the peer said in its OPEN.
[[nodiscard]] peer_info get_opening(const pn_connection_driver_t& driver);

} // namespace rookery::amqp
