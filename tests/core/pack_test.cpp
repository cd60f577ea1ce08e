// Goal: a pack gives back what was put into it, and bytes from outside that are
// none, or are malformed, are taken for none. Method: cases by hand; packs with
// one byte changed or cut off anywhere (ROOKERY_SEED).
#include "bridge/amqp/wire/pack.hpp"

#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "testing/seed.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

#include <array>
#include <utility>

using namespace rookery;
using amqp::decode_pack;
using tests::hex;

namespace {

std::string message(const std::string& body) {
  bridge::envelope x;
  x.type = "t";
  x.body = body;
  std::string result;
  amqp::encode_message(x, result);
  return result;
}

std::string pack(const std::vector<std::string>& messages) {
  amqp::pack_encoder encoder;
  encoder.begin();
  for (const auto& x : messages)
    encoder.add(x);
  return std::string{encoder.bytes()};
}

} // namespace

TEST_CASE("pack: gives back what was put in, in order", "[wire][pack]") {
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < amqp::pack_messages_max; ++i)
    messages.push_back(message(std::string(i * 10, 'x')));
  const auto bytes = pack(messages);
  const auto parts = decode_pack(bytes);
  REQUIRE(parts);
  CHECK(std::vector<std::string>(parts->begin(), parts->end()) == messages);
}

TEST_CASE("pack: is a message like any other to a broker", "[wire][pack]") {
  const auto bytes = pack({message("a"), message("b")});
  const auto whole = amqp::decode_message(bytes);
  REQUIRE(whole);
  CHECK(whole->type == amqp::pack_type);
  CHECK(whole->durable);
  CHECK(whole->body() == message("a") + message("b"));
}

TEST_CASE("pack: adds no more than it says", "[wire][pack]") {
  std::vector<std::string> messages(amqp::pack_messages_max,
                                    message(std::string(500, 'x')));
  std::size_t alone = 0;
  for (const auto& x : messages)
    alone += x.size();
  CHECK(pack(messages).size() <= alone + amqp::pack_overhead_max);
}

TEST_CASE("pack: annotations of a broker do not hide it", "[wire][pack]") {
  // x-exchange and x-routing-key, each with a long name: 0x72, a map32 of 4.
  std::string annotations{"\x00\x53\x72\xd1", 4};
  std::string pairs;
  for (const char* key : {"x-exchange", "x-routing-key"}) {
    pairs +=
        std::string{"\xa3"} + static_cast<char>(std::string{key}.size()) + key;
    pairs += std::string{"\xa1\xff"} + std::string(255, 'n');
  }
  const auto size = pairs.size() + 4;
  annotations += std::string{"\x00\x00", 2} + static_cast<char>(size >> 8)
                 + static_cast<char>(size & 0xff);
  annotations += std::string{"\x00\x00\x00\x04", 4} + pairs;
  auto bytes = pack({message("a"), message("b")});
  const auto header = std::string_view{"\x00\x53\x70\xc0\x02\x01\x41", 7};
  REQUIRE(bytes.starts_with(header));
  bytes.insert(header.size(), annotations);
  REQUIRE(amqp::decode_message(bytes));
  REQUIRE(decode_pack(bytes));
  CHECK(decode_pack(bytes)->size() == 2);
}

TEST_CASE("pack: what is none is none", "[wire][pack]") {
  CHECK_FALSE(decode_pack(""));
  CHECK_FALSE(decode_pack(message("a")));
  CHECK_FALSE(decode_pack(message(std::string{amqp::pack_type})));
  // Too few, and too many.
  CHECK_FALSE(decode_pack(pack({})));
  CHECK_FALSE(decode_pack(pack({message("a")})));
  CHECK_FALSE(decode_pack(pack(
      std::vector<std::string>(amqp::pack_messages_max + 1, message("x")))));
}

TEST_CASE("pack: what could not go back alone is in none", "[wire][pack]") {
  const auto good = message("a");
  REQUIRE(decode_pack(pack({good, good})));
  CHECK_FALSE(decode_pack(pack({good, ""})));
  CHECK_FALSE(decode_pack(pack({good, "xyz"})));
  CHECK_FALSE(decode_pack(pack({good, good.substr(0, good.size() - 1)})));
  CHECK_FALSE(decode_pack(pack({good, pack({good, good})})));
}

TEST_CASE("pack: each message in one is as a node writes it", "[wire][pack]") {
  const auto good = message("a");
  const auto body = hex("00 53 75 a0 01 'b'");
  const auto header = hex("00 53 70 c0 02 01 41");
  REQUIRE(decode_pack(pack({good, header + body})));
  const std::array<std::pair<const char*, std::string>, 16> others{{
      {"no header", body},
      {"no body", header},
      {"two bodies", header + body + body},
      {"another body", header + hex("00 53 77 a0 01 'b'")},
      {"a long form of its size", header + hex("00 53 75 b0 00 00 00 01 'b'")},
      {"an annotation", header + hex("00 53 72 c1 01 00") + body},
      {"a footer", header + body + hex("00 53 78 c1 01 00")},
      // Of which nobody would say how much is left.
      {"a time to live", hex("00 53 70 c0 05 03 41 40 52 09") + body},
      // Which brokers compare with the login.
      {"a user-id", header + hex("00 53 73 c0 05 02 40 a0 01 'u'") + body},
      // RabbitMQ 4.0 reads a list to its end, whatever its count, and ends the
      // session of who sends what it does not understand.
      {"a time to live that does not count",
       hex("00 53 70 c0 05 01 41 40 52 09") + body},
      {"a user-id that does not count",
       header + hex("00 53 73 c0 05 01 40 a0 01 'u'") + body},
      {"a byte behind no properties",
       header + hex("00 53 73 c0 02 00 ff") + body},
      {"a header too long", hex("00 53 70 c0 07 06 41 40 40 40 40 ff") + body},
      {"no boolean", hex("00 53 70 c0 03 01 56 02") + body},
      {"a key without a value",
       header + hex("00 53 74 c1 04 01 a1 01 'k'") + body},
      {"a property of somebody else's",
       header + hex("00 53 74 c1 07 02 a1 01 'k' a1 01 'v'") + body},
  }};
  for (const auto& [what, bytes] : others) {
    INFO(what);
    CHECK_FALSE(decode_pack(pack({good, bytes})));
  }
  // A Data section that is null.
  CHECK_FALSE(decode_pack(pack({good, good}) + hex("00 53 75 40")));
}

TEST_CASE("pack: whatever bytes come, its messages lie within them",
          "[wire][pack]") {
  const auto seed = testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  testing::random_source random{seed};
  const auto whole = pack({message("one"), message("two"), message("three")});
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = whole;
    bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    if (random.below(4) == 0)
      bytes.resize(random.below(bytes.size()));
    const auto parts = decode_pack(bytes);
    for (auto part : parts.value_or(std::vector<std::string_view>{})) {
      REQUIRE(!part.empty());
      REQUIRE(part.data() >= bytes.data());
      REQUIRE(part.data() + part.size() <= bytes.data() + bytes.size());
    }
  }
}
