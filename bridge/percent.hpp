#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rookery::bridge {

/// Appends `text` to `out`, every byte but the unreserved ones (letters,
/// digits, "-._~") as "%XX" with upper case digits.
/// @source RFC 3986, section 2.
void percent_encode(std::string_view text, std::string& out);

/// Appends "%XX" for `c`, whatever it is.
void percent_escape(char c, std::string& out);

/// The bytes behind the escapes; every other byte stands for itself.
/// Nothing when a '%' is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

} // namespace rookery::bridge
