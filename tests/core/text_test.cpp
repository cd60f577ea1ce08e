// Goal: exactly well-formed UTF-8 of 1..280 code points is a tweet.
// Method: the edges of table 3-7 of the Unicode Standard, and an independent
// decoder over all pairs of bytes and what may follow them.
#include "actors/tweet/text.hpp"

#include "actors/errc.hpp"
#include "tests/support/catch.hpp"

#include <cstdint>
#include <string>

using namespace rookery::actors;

namespace {

std::string repeat(const std::string& x, int count) {
  std::string result;
  while (count-- > 0)
    result += x;
  return result;
}

const std::string bird = "\xF0\x9F\x90\xA6"; // U+1F426, four bytes

/// UTF-8 by definition: the shortest encoding of a scalar value. Slow and
/// unlike the code under test.
bool is_one_code_point(const std::string& bytes) {
  auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  auto tail = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
  if (bytes.size() == 1)
    return at(0) < 0x80;
  if (bytes.size() == 2)
    return (at(0) & 0xE0) == 0xC0 && tail(1) && (at(0) & 0x1F) >= 2;
  auto value = (at(0) & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
  return (at(0) & 0xF0) == 0xE0 && tail(1) && tail(2) && value >= 0x800
         && (value < 0xD800 || value > 0xDFFF);
}

} // namespace

TEST_CASE("text: counts code points, not bytes", "[tweet][text]") {
  CHECK(count_code_points("") == 0u);
  CHECK(count_code_points("abc") == 3u);
  CHECK(count_code_points("\xC3\xA9\xE2\x82\xAC" + bird) == 3u);
  CHECK(count_code_points(std::string(1, '\0')) == 1u);
}

TEST_CASE("text: 280 code points of any length pass, 281 do not",
          "[tweet][text]") {
  for (std::string one : {"x", "\xC3\xA9", "\xE2\x82\xAC", bird.c_str()}) {
    CHECK(check_text(one) == caf::none);
    CHECK(check_text(repeat(one, 280)) == caf::none);
    CHECK(check_text(repeat(one, 281)) == errc::text_too_long);
  }
  auto error = check_text(repeat(bird, 281));
  CHECK(caf::to_string(error).find("281 code points, at most 280")
        != std::string::npos);
  CHECK(check_text("") == errc::text_empty);
}

TEST_CASE("text: refuses surrogates, overlong forms and what is too great",
          "[tweet][text]") {
  for (std::string bad :
       {"\xED\xA0\x80",     // U+D800, the first surrogate
        "\xED\xBF\xBF",     // U+DFFF, the last one
        "\xC0\xAF",         // '/' in two bytes
        "\xC1\xBF",         // U+007F in two
        "\xE0\x80\xAF",     // '/' in three
        "\xE0\x9F\xBF",     // U+07FF in three
        "\xF0\x80\x80\xAF", // '/' in four
        "\xF0\x8F\xBF\xBF", // U+FFFF in four
        "\xF4\x90\x80\x80", // U+110000
        "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF"}) {
    CHECK(check_text(bad) == errc::invalid_utf8);
    CHECK(check_text("before " + bad + " after") == errc::invalid_utf8);
  }
}

TEST_CASE("text: accepts the neighbours of what it refuses", "[tweet][text]") {
  for (std::string good : {
           "\xED\x9F\xBF",     // U+D7FF
           "\xEE\x80\x80",     // U+E000
           "\xC2\x80",         // U+0080
           "\xE0\xA0\x80",     // U+0800
           "\xF0\x90\x80\x80", // U+10000
           "\xF4\x8F\xBF\xBF", // U+10FFFF
           "\xEF\xBF\xBF",     // U+FFFF, no character, but a code point
       })
    CHECK(check_text(good) == caf::none);
}

TEST_CASE("text: refuses a sequence cut off or left open", "[tweet][text]") {
  for (std::size_t length = 1; length < bird.size(); ++length) {
    auto part = bird.substr(0, length);
    CHECK_FALSE(count_code_points(part));
    CHECK_FALSE(count_code_points(part + "x"));
    CHECK_FALSE(count_code_points("x" + part));
  }
  CHECK_FALSE(count_code_points("\x80"));
  CHECK_FALSE(count_code_points("\xC3\xA9\xA9"));
}

TEST_CASE("text: agrees with the definition on all short sequences",
          "[tweet][text]") {
  int differences = 0;
  auto compare = [&](const std::string& bytes) {
    // One code point, and not several shorter ones.
    auto expected = is_one_code_point(bytes);
    auto count = count_code_points(bytes);
    if (expected != (count == 1u))
      ++differences;
  };
  for (int a = 0; a < 256; ++a) {
    std::string bytes(1, static_cast<char>(a));
    compare(bytes);
    for (int b = 0; b < 256; ++b) {
      compare(bytes + static_cast<char>(b));
      if (a >= 0xE0)
        for (int c : {0x00, 0x7F, 0x80, 0x9F, 0xBF, 0xC0, 0xFF})
          compare(bytes + static_cast<char>(b) + static_cast<char>(c));
    }
  }
  CHECK(differences == 0);
}
