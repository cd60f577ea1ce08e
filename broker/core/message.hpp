#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace rookery::broker {

/// One AMQP message and the few facts the broker wants to know about it.
/// The shell fills it once; from then on it is shared and never changed: every
/// queue of a fan-out holds the same one.
struct message {
  /// The whole encoded message, all sections, as it came.
  std::string bytes;
  /// Length of the header section at the front of `bytes`, 0 without one. A
  /// redelivery sends a header of its own and `bytes` from here on.
  std::uint32_t header_bytes = 0;
  bool durable = true;
  std::uint8_t priority = 4;
  std::optional<std::chrono::milliseconds> ttl = std::nullopt;
};

using message_ptr = std::shared_ptr<const message>;

/// What a held message costs besides its bytes: its object, its place in a
/// queue, its place among the unsettled. A round number, so that a flood of
/// tiny messages meets the byte limits too.
inline constexpr std::size_t message_overhead_bytes = 192;

/// What `message` counts against the byte limits that protect the process.
[[nodiscard]] inline std::size_t cost_of(const message& message) {
  return message.bytes.size() + message_overhead_bytes;
}

} // namespace rookery::broker
