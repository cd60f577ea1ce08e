#pragma once

#include "broker/core/death.hpp"
#include "broker/core/note.hpp"

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
  /// The encoded message as it came, without delivery annotations.
  std::string bytes;
  /// Length of the header section at the front of `bytes`, 0 without one. A
  /// delivery sends a header of its own and `bytes` from here on.
  std::uint32_t header_bytes = 0;
  bool durable = true;
  std::uint8_t priority = 4;
  std::optional<std::chrono::milliseconds> ttl = std::nullopt;
  /// Null where nobody said; then it is the default exchange.
  std::shared_ptr<const publication> published_to = nullptr;
  /// Null unless it is a dead letter.
  std::shared_ptr<const death_history> history = nullptr;
  /// Of a dead letter: what they noted who gave it up; null = nothing.
  notes_ptr notes = nullptr;
  /// Of a dead letter: deliveries that had failed before it died.
  std::uint32_t delivery_count = 0;
};

using message_ptr = std::shared_ptr<const message>;

/// What a held message costs besides its bytes: its object, its place in a
/// queue, its place among the unsettled. A round number, so that a flood of
/// tiny messages meets the byte limits too.
inline constexpr std::size_t message_overhead_bytes = 192;

/// What `message` counts against the byte limits that protect the process.
[[nodiscard]] inline std::size_t cost_of(const message& message) {
  auto result = message.bytes.size() + message_overhead_bytes;
  if (message.history)
    result += bytes_of(*message.history);
  if (message.history && message.published_to) // its own; others share theirs
    result += bytes_of(*message.published_to);
  if (message.notes)
    result += bytes_of(*message.notes);
  return result;
}

} // namespace rookery::broker
