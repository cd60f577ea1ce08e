#pragma once

#include "bridge/amqp/condition.hpp"
#include "bridge/amqp/link.hpp"
#include "broker/session_state.hpp"

#include <optional>

namespace rookery::broker {

class connection;

/// Answers the attach of `x`, which a client began in session `where`, and
/// adds its endpoint there. @returns why not; then the session must end, and
/// nothing was answered, as in RabbitMQ.
[[nodiscard]] std::optional<amqp::condition>
attach(connection& owner, session_state& where, amqp::link x);

} // namespace rookery::broker
