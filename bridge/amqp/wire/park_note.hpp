#pragma once

#include "bridge/amqp/wire/annotations.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::amqp {

/// Why a node gave a message up, as it stands in the message's annotations when
/// it is parked: keys of ours, which a broker keeps without knowing them.
struct park_note {
  /// `x-opt-rookery-condition`: an error condition, as of a rejected message.
  std::string condition;
  /// `x-opt-rookery-reason`: a sentence for a human.
  std::string reason;
  /// `x-opt-rookery-attempts`: how often handlers of the node failed on it.
  std::uint32_t attempts = 0;
  /// `x-opt-rookery-queue`: the queue from which it was served.
  std::string queue;

  [[nodiscard]] bool operator==(const park_note&) const = default;
};

/// What all keys of a note begin with.
inline constexpr std::string_view park_note_prefix = "x-opt-rookery-";

/// A note's reason is cut off there, bytes. A disposition must stay far below
/// what any peer takes in one frame.
inline constexpr std::size_t park_reason_bytes_max = 1'024;

/// The note as an AMQP map, for the annotations of an outcome.
/// @pre valid UTF-8 in all texts, and the reason no longer than
///   `park_reason_bytes_max`
[[nodiscard]] std::string encode(const park_note& x);

/// The note among the annotations of a message; what is missing is empty.
[[nodiscard]] park_note
read_park_note(const std::vector<annotation_view>& annotations);

} // namespace rookery::amqp
