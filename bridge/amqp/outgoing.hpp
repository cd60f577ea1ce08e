#pragma once

#include "bridge/border/send_queue.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace rookery::amqp {

/// A message on its way out, encoded.
struct outgoing {
  std::string bytes;
  /// Its number among those that somebody waits for, for a reply or for the
  /// outcome; 0 = nobody does.
  std::uint64_t waiting = 0;
  /// Settled before it is sent: no outcome will come.
  bool presettled = false;
  /// It may go in one transfer with others, see pack_encoder.
  bool packs = false;
  /// With those to the same address, where the link has none.
  std::string pack_to = {};
  /// When it is over an outcome of `accepted` is all that was waited for.
  bool ends_stored = false;
  /// Until when it is worth sending.
  std::chrono::steady_clock::time_point expires =
      std::chrono::steady_clock::time_point::max();
  /// Of a message that may go to a file, see bridge::spill: where it stands
  /// among all of them, from 1; 0 = it may not.
  std::uint64_t place = 0;
  /// The file has it, until it ends.
  bool in_file = false;
  /// The bridge's own: nothing that is newer makes it go.
  bool stays = false;
};

using outgoing_queue = bridge::send_queue<outgoing>;

} // namespace rookery::amqp
