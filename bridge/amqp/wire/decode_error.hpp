#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace rookery::amqp {

/// What is wrong with the bytes of a message.
enum class decode_errc : std::uint8_t {
  /// The bytes end within a value.
  truncated = 1,
  /// A byte that is no AMQP type code, or not one that may stand here.
  unexpected_type = 2,
  /// A size or count that contradicts the bytes around it.
  bad_size = 3,
  /// Described types nested deeper than `decode_limits::depth_max`.
  too_deep = 4,
  /// The message is longer than `decode_limits::message_bytes_max`.
  too_long = 5,
  /// A section is repeated or stands out of order.
  bad_order = 6,
  /// There is no body section.
  no_body = 7,
  /// The body is a sequence, or a value that is neither binary nor string.
  unsupported_body = 8,
};

/// A fault and the offset of the byte where it shows.
struct decode_error {
  decode_errc code;
  std::size_t offset;

  friend bool operator==(const decode_error&, const decode_error&) = default;
};

/// For example "truncated at byte 17".
[[nodiscard]] std::string to_string(const decode_error& x);

} // namespace rookery::amqp
