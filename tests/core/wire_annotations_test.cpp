// Goal: a tool reads what is noted on a message, whoever wrote it and however,
// and malformed bytes are as good as none.
// Method: messages by Proton's encoder, and bytes by hand.
#include "bridge/amqp/wire/annotations.hpp"
#include "bridge/amqp/wire/park_note.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

#include <proton/annotation_key.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/symbol.hpp>
#include <proton/value.hpp>

#include <limits>

using namespace rookery;
using namespace rookery::amqp;
using tests::hex;

namespace {

std::string encoded(const proton::message& x) {
  const auto bytes = x.encode();
  return {bytes.begin(), bytes.end()};
}

/// The value at "k" of a message's annotations, as Proton encodes it.
std::string value_of(const proton::value& x) {
  proton::message carrier;
  carrier.message_annotations().put(proton::symbol{"k"}, x);
  const auto bytes = encoded(carrier);
  const auto all = read_annotations(message_annotations(bytes));
  REQUIRE(all.size() == 1);
  CHECK(all[0].key == "k");
  return std::string{all[0].value};
}

} // namespace

TEST_CASE("annotations: stand between header and properties",
          "[amqp][annotations]") {
  proton::message x{"body"};
  x.id("id-1");
  x.durable(true);
  x.delivery_annotations().put(proton::symbol{"x-hop"}, 1);
  x.message_annotations().put(proton::symbol{"x-opt-a"}, "one");
  x.message_annotations().put(proton::symbol{"x-opt-b"}, 2);
  const auto bytes = encoded(x);
  const auto all = read_annotations(message_annotations(bytes));
  REQUIRE(all.size() == 2);
  CHECK(find_text(all, "x-opt-a") == "one");
  CHECK(find_text(all, "x-opt-b").empty()); // a number
  CHECK(find_text(all, "x-opt-c").empty());
}

TEST_CASE("annotations: a message without them has none",
          "[amqp][annotations]") {
  proton::message x{"body"};
  x.id("id-1");
  CHECK(message_annotations(encoded(x)).empty());
  CHECK(message_annotations({}).empty());
  CHECK(read_annotations({}).empty());
}

TEST_CASE("annotations: a whole number counts, of whatever type it is",
          "[amqp][annotations]") {
  CHECK(number_of(value_of(std::uint8_t{200})) == 200);
  CHECK(number_of(value_of(std::uint16_t{60'000})) == 60'000);
  CHECK(number_of(value_of(std::uint32_t{0})) == 0);
  CHECK(number_of(value_of(std::uint32_t{7})) == 7);
  CHECK(number_of(value_of(std::uint32_t{4'000'000'000})) == 4'000'000'000);
  CHECK(number_of(value_of(std::uint64_t{0})) == 0);
  CHECK(number_of(value_of(std::numeric_limits<std::uint64_t>::max()))
        == std::numeric_limits<std::uint64_t>::max());
  CHECK(number_of(value_of(std::int8_t{100})) == 100);
  CHECK(number_of(value_of(std::int16_t{30'000})) == 30'000);
  CHECK(number_of(value_of(std::int32_t{5})) == 5);
  CHECK(number_of(value_of(std::int32_t{2'000'000'000})) == 2'000'000'000);
  CHECK(number_of(value_of(std::int64_t{5})) == 5);
  CHECK(number_of(value_of(std::int64_t{1} << 40)) == std::uint64_t{1} << 40);
  CHECK_FALSE(number_of(value_of(std::int64_t{-1})));
  CHECK_FALSE(number_of(value_of(std::int32_t{-70'000})));
  CHECK_FALSE(number_of(value_of("5")));
  CHECK_FALSE(number_of({}));
}

TEST_CASE("annotations: what stands behind a fault is left out",
          "[amqp][annotations]") {
  proton::message x;
  x.message_annotations().put(proton::symbol{"a"}, "one");
  x.message_annotations().put(proton::symbol{"b"}, "two");
  const auto whole = encoded(x);
  const auto map = std::string{message_annotations(whole)};
  REQUIRE(read_annotations(map).size() == 2);
  for (std::size_t size = 0; size < map.size(); ++size)
    CHECK(read_annotations(std::string_view{map}.substr(0, size)).size() < 2);
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(read_annotations(
              message_annotations(std::string_view{whole}.substr(0, size)))
              .size()
          <= 2);
}

TEST_CASE("annotations: can be taken off, and all else stays as it is",
          "[amqp][annotations]") {
  const auto drop_a = [](std::string_view key) { return key == "a"; };
  const auto header = hex("00 53 70 c0 02 01 41");
  const auto hop = hex("00 53 71 c1 06 02 a3 01 'h' 52 05");
  const auto both = hex("00 53 72 c1 0b 04 a3 01 'a' 52 05 a3 01 'b' 52 06");
  const auto only_b = hex("00 53 72 c1 06 02 a3 01 'b' 52 06");
  const auto only_a = hex("00 53 72 c1 06 02 a3 01 'a' 52 05");
  const auto rest = hex("00 53 73 c0 04 01 a1 01 'i' 00 53 75 a0 02 'hi'");
  CHECK(without_annotations(header + hop + both + rest, drop_a)
        == header + only_b + rest);
  CHECK(without_annotations(both + rest, drop_a) == only_b + rest);
  CHECK(without_annotations(only_a + rest, drop_a) == rest);
  CHECK(without_annotations(header + rest, drop_a) == header + rest);
  // What stands behind the properties is none of its business.
  CHECK(without_annotations(header + rest + "garbage", drop_a)
        == header + rest + "garbage");
  CHECK_FALSE(without_annotations("garbage", drop_a));
  CHECK_FALSE(without_annotations(header + both.substr(0, 9), drop_a));
}

TEST_CASE("park note: reads as it was written", "[amqp][annotations]") {
  for (std::uint32_t attempts : {0U, 1U, 255U, 256U, 4'000'000'000U}) {
    const park_note note{"amqp:decode-error", "gr\xc3\xbc\xc3\x9f", attempts,
                         "a queue"};
    CHECK(read_park_note(read_annotations(encode(note))) == note);
  }
  const park_note longest{"rookery:poison",
                          std::string(park_reason_bytes_max, 'x'), 1,
                          std::string(255, 'q')};
  CHECK(read_park_note(read_annotations(encode(longest))) == longest);
  CHECK(read_park_note(read_annotations(encode({}))) == park_note{});
  CHECK(read_park_note({}) == park_note{});
}

TEST_CASE("park note: is what PROTOCOL.md says, byte by byte",
          "[amqp][annotations]") {
  CHECK(tests::to_hex(encode({"rookery:poison", "bad", 1, "q"}))
        == tests::to_hex(hex(
            "c1 77 08 a3 17 'x-opt-rookery-condition' a1 0e 'rookery:poison'"
            "a3 14 'x-opt-rookery-reason' a1 03 'bad'"
            "a3 16 'x-opt-rookery-attempts' 52 01"
            "a3 13 'x-opt-rookery-queue' a1 01 'q'")));
}
