#pragma once

#include "bridge/border/send_queue.hpp"

#include <cstdint>
#include <string>

namespace rookery::amqp {

/// A message on its way out, encoded.
struct outgoing {
  std::string bytes;
  /// The request it carries, for whoever waits for the reply; 0 = none.
  std::uint64_t request = 0;
  /// Settled before it is sent: no outcome will come.
  bool presettled = false;
};

using outgoing_queue = bridge::send_queue<outgoing>;

} // namespace rookery::amqp
