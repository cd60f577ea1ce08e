#include "actors/tweet/text.hpp"

#include "actors/errc.hpp"

#include <cstdint>
#include <string>

namespace rookery::actors {

namespace {

/// What may follow a first byte: `length` bytes in all, the second of them in
/// `low`..`high`, the others in 0x80..0xBF. Length 0: not a first byte.
struct form {
  std::size_t length;
  std::uint8_t low;
  std::uint8_t high;
};

form form_of(std::uint8_t first) {
  if (first <= 0x7F)
    return {1, 0, 0};
  if (first >= 0xC2 && first <= 0xDF)
    return {2, 0x80, 0xBF};
  if (first == 0xE0) // below are overlong forms
    return {3, 0xA0, 0xBF};
  if (first == 0xED) // above are surrogates
    return {3, 0x80, 0x9F};
  if (first >= 0xE1 && first <= 0xEF)
    return {3, 0x80, 0xBF};
  if (first == 0xF0) // below are overlong forms
    return {4, 0x90, 0xBF};
  if (first >= 0xF1 && first <= 0xF3)
    return {4, 0x80, 0xBF};
  if (first == 0xF4) // above is nothing
    return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

/// The bytes of the code point that `bytes` begins with; 0 if it is malformed.
std::size_t first_length(std::string_view bytes) {
  auto at = [bytes](std::size_t i) {
    return static_cast<std::uint8_t>(bytes[i]);
  };
  auto [length, low, high] = form_of(at(0));
  if (length > bytes.size())
    return 0;
  if (length > 1 && (at(1) < low || at(1) > high))
    return 0;
  for (std::size_t i = 2; i < length; ++i)
    if (at(i) < 0x80 || at(i) > 0xBF)
      return 0;
  return length;
}

} // namespace

std::optional<std::size_t> count_code_points(std::string_view bytes) {
  std::size_t count = 0;
  while (!bytes.empty()) {
    auto length = first_length(bytes);
    if (length == 0)
      return std::nullopt;
    bytes.remove_prefix(length);
    ++count;
  }
  return count;
}

caf::error check_text(std::string_view text) {
  auto count = count_code_points(text);
  if (!count)
    return caf::make_error(errc::invalid_utf8);
  if (*count == 0)
    return caf::make_error(errc::text_empty);
  if (*count > code_points_max)
    return caf::make_error(errc::text_too_long,
                           std::to_string(*count) + " code points, at most "
                               + std::to_string(code_points_max));
  return caf::none;
}

} // namespace rookery::actors
