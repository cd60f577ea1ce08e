#include "bridge/percent.hpp"

#include <cstddef>

namespace rookery::bridge {

namespace {

constexpr std::string_view digits = "0123456789ABCDEF";

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
         || c == '~';
}

/// -1 unless `c` is a hex digit of either case.
int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

} // namespace

void percent_escape(char c, std::string& out) {
  const auto x = static_cast<unsigned char>(c);
  out += '%';
  out += digits[x >> 4];
  out += digits[x & 0xf];
}

void percent_encode(std::string_view text, std::string& out) {
  for (char c : text) {
    if (unreserved(c))
      out += c;
    else
      percent_escape(c, out);
  }
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    if (text.size() - i < 3)
      return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0)
      return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

} // namespace rookery::bridge
