#pragma once

#include "bridge/amqp/wire/decode_error.hpp"
#include "bridge/amqp/wire/envelope_view.hpp"
#include "bridge/expected.hpp"

#include <cstddef>
#include <string_view>

namespace rookery::amqp {

/// Bounds on what a peer may make us read.
struct decode_limits {
  std::size_t message_bytes_max = std::size_t{16} << 20;
  /// Described types within described types.
  std::size_t depth_max = 32;
};

/// What a broker may add to a message on its way, bytes: annotations mostly,
/// and most of them to a dead letter.
inline constexpr std::size_t broker_adds_max = 32'768;

/// For what comes, where no message that is sent is longer.
[[nodiscard]] inline decode_limits limits_for(std::size_t sent_bytes_max) {
  return {.message_bytes_max = sent_bytes_max + broker_adds_max};
}

/// Decodes one message, whoever sent it: every encoding of every type, absent
/// sections and unknown ones, several Data sections or an AmqpValue that holds
/// a binary or a string. Sections must stand in the order of the standard.
/// Never throws for bad input, never reads outside `bytes`; takes time linear
/// in the bytes. Unknown values are skipped by their size, not looked into.
[[nodiscard]] bridge::expected<envelope_view, decode_error>
decode_message(std::string_view bytes, const decode_limits& limits = {});

} // namespace rookery::amqp
