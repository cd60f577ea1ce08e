#pragma once

#include "bridge/amqp/link.hpp"
#include "broker/endpoint.hpp"
#include "broker/management/link_pair.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace rookery::broker {

/// A client's session, found through its context.
struct session_state {
  amqp::session self;
  /// We sent END: everything on it is ignored until the client agrees.
  bool ending = false;
  /// Of messages that came behind it.
  std::uint64_t ignored_bytes = 0;
  /// Attached links, those among them that we detached and the client did not
  /// yet.
  std::uint32_t link_count = 0;
  std::vector<std::unique_ptr<endpoint>> endpoints;
  management_pairs pairs;
};

} // namespace rookery::broker
