#pragma once

#include "bridge/amqp/wire/decode_error.hpp"
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/expected.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::amqp {

/// What a broker must know of a message that it passes on as bytes.
struct header_facts {
  /// Length of the header section; 0 when there is none. The rest of the
  /// message begins there, and a rewritten header goes in front of it.
  std::size_t header_bytes = 0;
  /// Where the delivery annotations stand, which are for the next hop only, and
  /// their length; 0 without them.
  std::size_t delivery_annotations_at = 0;
  std::size_t delivery_annotations_bytes = 0;
  /// Also where the message does not say: so RabbitMQ takes it, although the
  /// standard's default is false.
  bool durable = true;
  std::uint8_t priority = 4;
  /// Milliseconds.
  std::optional<std::uint32_t> ttl;
  std::optional<bool> first_acquirer;
  std::uint32_t delivery_count = 0;
  /// From the properties, for links without a target; points into the bytes.
  std::string_view to;
};

/// Reads the header, and the properties as far as `to`; what stands behind
/// them is not looked at, so the body may still be malformed.
[[nodiscard]] bridge::expected<header_facts, decode_error>
parse_header_facts(std::string_view bytes, const decode_limits& limits = {});

/// A header section to be sent in place of the old one: durable and priority
/// as in `facts`, the other three as given (milliseconds; nothing = no limit).
[[nodiscard]] std::string rewrite_header(const header_facts& facts,
                                         std::uint32_t delivery_count,
                                         bool first_acquirer,
                                         std::optional<std::uint32_t> ttl);

} // namespace rookery::amqp
