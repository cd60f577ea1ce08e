#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace rookery::tests {

/// Bytes from hex digits; blanks are for the reader, and 'text' in single
/// quotes stands for itself: hex("a1 02 'hi'").
inline std::string hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\n') {
      ++i;
    } else if (text[i] == '\'') {
      const auto end = text.find('\'', i + 1);
      if (end == text.npos)
        throw std::invalid_argument{"a quote is not closed"};
      result += text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else {
      const auto high = digits.find(text.at(i));
      const auto low = digits.find(text.at(i + 1));
      if (high == digits.npos || low == digits.npos)
        throw std::invalid_argument{"not a hex digit"};
      result += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return result;
}

/// Bytes as pairs of hex digits, blanks between them.
inline std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (char c : bytes) {
    const auto x = static_cast<unsigned char>(c);
    if (!result.empty())
      result += ' ';
    result += digits[x >> 4];
    result += digits[x & 0xf];
  }
  return result;
}

} // namespace rookery::tests
