#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::amqp {

/// One entry of a map of annotations. Views into the bytes it was read from.
struct annotation_view {
  std::string_view key;   // a symbol; a string is taken for one
  std::string_view value; // as it is encoded
};

/// The entries of `map`, an encoded AMQP map. A key of another type is left
/// out, and so is what stands behind a fault. Never throws for bad input.
[[nodiscard]] std::vector<annotation_view>
read_annotations(std::string_view map);

/// The message annotations of a whole message, as an encoded map; empty where
/// it has none, or is malformed before them. The decoder passes over them, for
/// only tools and brokers want to know: this looks at the sections in front of
/// the properties and at nothing else.
[[nodiscard]] std::string_view message_annotations(std::string_view message);

/// A whole message without its delivery annotations, and without the message
/// annotations whose key `drop` wants away, and then without those whose key is
/// no text; else byte for byte as it was.
/// Nothing where it is malformed in front of its properties.
[[nodiscard]] std::optional<std::string>
without_annotations(std::string_view message,
                    bool (*drop)(std::string_view key));

/// What `value` says if it is a string or a symbol; else empty.
[[nodiscard]] std::string_view text_of(std::string_view value);
/// What `value` says if it is a whole number, not below zero, of any type:
/// brokers keep the number and forget the type.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view value);

/// The text at `key`; empty where there is none.
[[nodiscard]] std::string_view find_text(const std::vector<annotation_view>& in,
                                         std::string_view key);

} // namespace rookery::amqp
