// Goal: no bytes whatever make the codec crash, read outside its input or
// contradict itself. Method: valid messages changed at random (ROOKERY_SEED),
// decoded from buffers of just their size; sanitizers watch. What is accepted
// must survive a round trip.
#include "bridge/amqp/wire/header_facts.hpp"
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "testing/seed.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

using namespace rookery;
using testing::random_source;
using tests::hex;

namespace {

constexpr int rounds = 40'000;

std::vector<std::string> valid_messages() {
  bridge::envelope x;
  x.message_id = "3f1c9a52-1";
  x.to = "/queues/q";
  x.type = "pkg.T";
  x.reply_to = "/queues/r";
  x.correlation_id = "17";
  x.correlation_id_kind = bridge::id_kind::ulong;
  x.content_type = "application/protobuf";
  x.trace_parent = "00-a-b-01";
  x.ttl = std::chrono::milliseconds{500};
  x.body = "0123456789";
  std::string ours;
  amqp::encode_message(x, ours);
  return {
      ours,
      hex("00 53 70 d0 00 00 00 0c 00 00 00 05 56 01 50 09 40 42 52 02"
          "00 53 72 c1 0a 02 a3 05 'x-opt' 54 07"
          "00 53 73 c0 27 08 53 2a a0 01 'u' b1 00 00 00 02 '/q'"
          "a1 01 'T' a1 02 '/r' 98 000102030405060708090a0b0c0d0e0f 40 40"
          "00 53 74 c1 10 02 a1 0b 'traceparent' a1 00"
          "00 53 75 a0 01 'a' 00 53 75 b0 00 00 00 02 'bc'"
          "00 53 78 d1 00 00 00 04 00 00 00 00"),
      hex("00 a3 10 'amqp:header:list' 45 00 53 74 c1 11 04 a1 01 'k'"
          "e0 04 02 50 01 02 a1 01 'l' 00 53 01 43 00 53 77 a1 02 '{}'"),
  };
}

void change(std::string& bytes, random_source& random) {
  constexpr std::array<unsigned char, 12> telling{
      0x00, 0x40, 0x45, 0x53, 0x70, 0x73, 0x75, 0xa1, 0xb1, 0xc0, 0xd0, 0xff};
  const auto at = random.below(bytes.size() + 1);
  const auto length = std::min(random.below(9), bytes.size() - at);
  const auto letter = static_cast<char>(
      random.below(2) == 0 ? telling[random.below(12)] : random.below(256));
  switch (random.below(5)) {
  case 0:
    bytes.erase(at, length);
    break;
  case 1:
    bytes.insert(at, 1 + length, letter);
    break;
  case 2:
    bytes.insert(at, bytes.substr(at, length));
    break;
  case 3:
    bytes.resize(at);
    break;
  default:
    if (at < bytes.size())
      bytes[at] = letter;
  }
}

bool within(std::string_view part, std::string_view whole) {
  return part.empty()
         || (part.data() >= whole.data()
             && part.data() + part.size() <= whole.data() + whole.size());
}

/// What the encoder writes of `x`.
bridge::envelope sent(bridge::envelope x) {
  x.delivery_count = 0;
  x.first_acquirer.reset();
  return x;
}

} // namespace

TEST_CASE("wire_random: changed messages never crash the codec",
          "[bridge][wire]") {
  const auto seed = testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  random_source random{seed};
  const auto originals = valid_messages();
  for (const auto& original : originals)
    REQUIRE(amqp::decode_message(original));
  int accepted = 0;
  for (int round = 0; round < rounds; ++round) {
    auto bytes = originals[random.below(originals.size())];
    for (auto changes = 1 + random.below(4); changes > 0; --changes)
      change(bytes, random);
    const auto copy = std::make_unique<char[]>(bytes.size());
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    const std::string_view input{copy.get(), bytes.size()};
    const auto facts = amqp::parse_header_facts(input);
    const auto view = amqp::decode_message(input);
    if (!view) {
      if (view.error().offset > input.size())
        FAIL(tests::to_hex(bytes));
      continue;
    }
    ++accepted;
    // Who reads all of it and who reads its front see the same, but for what
    // is durable where nothing is said. Only a header that is not at the front
    // is refused by the one and read by the other.
    if (facts
        && (facts->to != view->to || facts->priority != view->priority
            || facts->ttl != view->ttl || (!facts->durable && view->durable)
            || facts->delivery_count != view->delivery_count))
      FAIL(tests::to_hex(bytes));
    if (!within(view->single_body, input) || !within(view->type, input)
        || !within(view->message_id.bytes, input)
        || !within(view->trace_parent, input))
      FAIL(tests::to_hex(bytes));
    std::string again;
    amqp::encode_message(view->to_envelope(), again);
    const auto second = amqp::decode_message(again);
    if (!second || second->to_envelope() != sent(view->to_envelope()))
      FAIL(tests::to_hex(bytes));
  }
  // The changes are small enough that both outcomes are common.
  CHECK(accepted > rounds / 100);
  CHECK(accepted < rounds);
}

TEST_CASE("wire_random: noise is refused or read, never worse",
          "[bridge][wire]") {
  const auto seed = testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  random_source random{seed};
  for (int round = 0; round < rounds; ++round) {
    const auto size = random.below(64);
    const auto noise = std::make_unique<char[]>(size);
    for (std::size_t i = 0; i < size; ++i)
      noise[i] = static_cast<char>(random.below(256));
    const auto view = amqp::decode_message({noise.get(), size});
    if (!view && view.error().offset > size)
      FAIL("offset " << view.error().offset << " of " << size);
  }
}
