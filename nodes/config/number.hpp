#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rookery::nodes {

/// A whole number of decimal digits and nothing else, 0..2^64-1.
[[nodiscard]] inline std::optional<std::uint64_t>
parse_number(std::string_view text) {
  std::uint64_t result = 0;
  auto end = text.data() + text.size();
  auto [last, error] = std::from_chars(text.data(), end, result);
  if (error != std::errc{} || last != end)
    return std::nullopt;
  return result;
}

} // namespace rookery::nodes
