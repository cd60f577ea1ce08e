#pragma once

#include "bridge/level.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>

namespace rookery::bridge {

/// What becomes of a message for which the send queue of its destination has
/// no room.
enum class overflow : std::uint8_t {
  /// It is refused with errc::queue_full.
  fail,
  /// The same, and if it is no request nobody is told: it is only counted.
  drop_newest,
  /// It is queued, and the oldest that wait, whoever sent them, end with
  /// errc::queue_full instead.
  drop_oldest,
  /// It waits in a file, with what follows it, and is sent when there is room
  /// again, if need be by the next process; see `bridge_options::spill`, which
  /// it takes. Not at level `fire`.
  spill,
};

/// How a handle sends.
struct send_options {
  /// What is acknowledged.
  level how = level::stored;
  /// How long a message is worth delivering, from the moment it is sent, 1 ms
  /// to 2^32 - 1 ms; nothing = for ever. It is dropped where it is when its
  /// time is over: here, at the broker, or at the receiver before its mailbox.
  /// A request waits no longer for its reply either.
  std::optional<std::chrono::milliseconds> ttl = {};
  /// Whether the sender of an asynchronous message is told, by a `send_lost`,
  /// that it did not go well; at level `fire` only if it is refused at once.
  /// Each message under way then counts against `bridge_options::requests_max`.
  bool tell_losses = false;

  overflow when_full = overflow::fail;

  /// Whether messages that wait for the same destination may go in one
  /// transfer, up to 64 of them or 64 KiB: many more a second through a broker
  /// whose costs are per message. Only where a bridge serves the address, or
  /// each that is bound. A message with a `ttl` goes alone.
  bool pack = false;

  [[nodiscard]] friend auto operator<=>(const send_options&,
                                        const send_options&) = default;
};

} // namespace rookery::bridge
