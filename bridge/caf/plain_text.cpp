#include "bridge/caf/plain_text.hpp"

#include <cstdint>

namespace rookery::bridge {

namespace {

// Bytes of the character at the start of `x`, 0 when it is not UTF-8.
// @source RFC 3629, section 4
std::size_t character_size(std::string_view x) {
  auto at = [&](std::size_t i) {
    return i < x.size() ? static_cast<std::uint8_t>(x[i]) : std::uint8_t{0};
  };
  auto tail = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  const auto first = at(0);
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first <= 0xdf)
    return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const auto overlong = first == 0xe0 && at(1) < 0xa0;
    const auto surrogate = first == 0xed && at(1) > 0x9f;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const auto overlong = first == 0xf0 && at(1) < 0x90;
    const auto beyond = first == 0xf4 && at(1) > 0x8f;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

} // namespace

std::string plain_text(std::string_view text, std::size_t bytes_max) {
  std::string result;
  while (!text.empty()) {
    const auto size = character_size(text);
    const auto taken = size == 0 ? 1 : size;
    if (result.size() + taken > bytes_max)
      break;
    if (size == 0)
      result += '?';
    else if (size == 1 && (text[0] < ' ' || text[0] == '\x7f'))
      result += ' ';
    else
      result += text.substr(0, size);
    text.remove_prefix(taken);
  }
  return result;
}

} // namespace rookery::bridge
