#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rookery::bridge {

/// The place of a message in a stream, as its message-id tells it.
struct stream_id {
  std::string_view stream; // points into the id
  std::uint64_t seq;       // >= 1
};

/// Reads an id that a node made: INCARNATION.DESTINATION-NUMBER, 16 lower case
/// hex digits and two decimal numbers. Nothing for any other id: a stranger who
/// ends its ids in numbers may begin again at 1 and mean another message.
[[nodiscard]] std::optional<stream_id> parse_stream_id(std::string_view id);

} // namespace rookery::bridge
