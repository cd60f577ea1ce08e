#include "bridge/core/stream_id.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace rookery::bridge {

namespace {

constexpr std::size_t incarnation_size = 16;

bool is_hex_digit(char x) {
  return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'f');
}

// A decimal number as std::to_string writes it.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t result = 0;
  auto* last = text.data() + text.size();
  auto [end, error] = std::from_chars(text.data(), last, result);
  if (error != std::errc{} || end != last || (text[0] == '0' && result != 0)
      || (result == 0 && text.size() > 1))
    return std::nullopt;
  return result;
}

} // namespace

std::optional<stream_id> parse_stream_id(std::string_view id) {
  const auto dash = id.rfind('-');
  if (dash == std::string_view::npos || dash < incarnation_size + 2
      || id[incarnation_size] != '.'
      || !std::all_of(id.begin(), id.begin() + incarnation_size, is_hex_digit))
    return std::nullopt;
  const auto destination =
      id.substr(incarnation_size + 1, dash - incarnation_size - 1);
  const auto seq = parse_number(id.substr(dash + 1));
  if (!parse_number(destination) || seq.value_or(0) == 0)
    return std::nullopt;
  return stream_id{id.substr(0, dash), *seq};
}

} // namespace rookery::bridge
