// Goal: a broker learns what it must from a message without reading it all,
// and can replace its header. Method: bytes by hand, and Proton as a reader of
// what comes out.
#include "bridge/amqp/wire/header_facts.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

#include <proton/binary.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/scalar.hpp>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace rookery;
using amqp::decode_errc;
using amqp::parse_header_facts;
using amqp::rewrite_header;
using tests::hex;
using tests::to_hex;

TEST_CASE("wire_header: facts of a message of ours", "[bridge][wire]") {
  bridge::envelope x;
  x.to = "/queues/q";
  x.priority = 9;
  x.ttl = std::chrono::milliseconds{1000};
  x.body = "hi";
  std::string bytes;
  amqp::encode_message(x, bytes);
  const auto facts = parse_header_facts(bytes);
  REQUIRE(facts);
  CHECK(facts->header_bytes == 14);
  CHECK(facts->durable);
  CHECK(facts->priority == 9);
  CHECK(facts->ttl == 1000U);
  CHECK_FALSE(facts->first_acquirer);
  CHECK(facts->delivery_count == 0);
  CHECK(facts->to == "/queues/q");
}

TEST_CASE("wire_header: a message may have no header", "[bridge][wire]") {
  for (const char* text : {"00 53 75 a0 00", "00 53 71 c1 01 00 00 53 75 a0 00",
                           "00 53 74 c1 01 00 00 53 75 a0 00", ""}) {
    const auto bytes = hex(text);
    const auto facts = parse_header_facts(bytes);
    REQUIRE(facts);
    CHECK(facts->header_bytes == 0);
    CHECK(facts->durable); // as RabbitMQ takes it
    CHECK(facts->priority == 4);
    CHECK(facts->to.empty());
  }
}

TEST_CASE("wire_header: annotations before the properties are passed over",
          "[bridge][wire]") {
  const auto bytes = hex("00 53 70 45 00 53 71 c1 01 00 00 53 72 c1 01 00"
                         "00 53 73 c0 08 03 53 01 40 a1 02 '/q'");
  const auto facts = parse_header_facts(bytes);
  REQUIRE(facts);
  CHECK(facts->header_bytes == 4);
  CHECK(facts->delivery_annotations_at == 4);
  CHECK(facts->delivery_annotations_bytes == 6);
  CHECK(facts->to == "/q");
}

TEST_CASE("wire_header: a message is durable unless it says otherwise",
          "[bridge][wire]") {
  CHECK(parse_header_facts(hex("00 53 70 45"))->durable);
  CHECK(parse_header_facts(hex("00 53 70 c0 02 01 40"))->durable);
  CHECK(parse_header_facts(hex("00 53 70 c0 02 01 41"))->durable);
  CHECK_FALSE(parse_header_facts(hex("00 53 70 c0 02 01 42"))->durable);
}

TEST_CASE("wire_header: what stands behind the properties is not read",
          "[bridge][wire]") {
  CHECK(parse_header_facts(hex("00 53 70 45 00 53 73 45 ff ff")));
  CHECK(parse_header_facts(hex("00 53 75 ff")));
}

TEST_CASE("wire_header: malformed fronts are errors", "[bridge][wire]") {
  const auto code = [](const char* text) {
    const auto facts = parse_header_facts(hex(text));
    REQUIRE_FALSE(facts);
    return facts.error().code;
  };
  CHECK(code("01") == decode_errc::unexpected_type);
  CHECK(code("00 53 70") == decode_errc::truncated);
  CHECK(code("00 53 71 c1 01 00 00 53 70 45") == decode_errc::bad_order);
  CHECK(code("00 53 70 45 00 53 70 45") == decode_errc::bad_order);
  // A header behind something unknown could not be replaced at the front.
  CHECK(code("00 53 99 40 00 53 70 45") == decode_errc::bad_order);
  CHECK(code("00 53 73 c0 04 03 40 40 43") == decode_errc::unexpected_type);
  // Annotations to which a broker could not add its own.
  CHECK(code("00 53 72 40") == decode_errc::unexpected_type);
  CHECK(code("00 53 72 c1 03 02 a3 07") == decode_errc::truncated);
  amqp::decode_limits limits;
  limits.message_bytes_max = 3;
  CHECK(parse_header_facts(hex("00 53 70 45"), limits).error().code
        == decode_errc::too_long);
}

TEST_CASE("wire_header: every truncation stays within its bytes",
          "[bridge][wire]") {
  const auto whole = hex("00 53 70 c0 0f 05 41 50 09 70 00000100 41 70 00000005"
                         "00 53 73 c0 08 03 53 01 40 a1 02 '/q'");
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    CAPTURE(size);
    const auto copy = std::make_unique<char[]>(size);
    std::memcpy(copy.get(), whole.data(), size);
    const auto facts = parse_header_facts({copy.get(), size});
    const bool complete = size == 0 || size == 20 || size == whole.size();
    CHECK(facts.has_value() == complete);
  }
}

TEST_CASE("wire_header: a rewritten header has the five fields",
          "[bridge][wire]") {
  amqp::header_facts facts;
  facts.durable = false;
  CHECK(to_hex(rewrite_header(facts, 0, true, std::nullopt))
        == "00 53 70 c0 06 05 42 40 40 41 43");
  facts.durable = true;
  facts.priority = 9;
  CHECK(to_hex(rewrite_header(facts, 300, false, 70'000))
        == "00 53 70 c0 0f 05 41 50 09 70 00 01 11 70 42 70 00 00 01 2c");
}

TEST_CASE("wire_header: in front of the rest it makes a message for proton",
          "[bridge][wire]") {
  bridge::envelope x;
  x.message_id = "m";
  x.body = "hi";
  std::string bytes;
  amqp::encode_message(x, bytes);
  const auto facts = parse_header_facts(bytes);
  REQUIRE(facts);
  const auto again =
      rewrite_header(*facts, 2, false, 900) + bytes.substr(facts->header_bytes);
  proton::message read;
  read.decode(std::vector<char>{again.begin(), again.end()});
  CHECK(read.durable());
  CHECK(read.delivery_count() == 2);
  CHECK_FALSE(read.first_acquirer());
  CHECK(read.ttl() == proton::duration{900});
  CHECK(proton::get<std::string>(read.id()) == "m");
  const auto second = parse_header_facts(again);
  REQUIRE(second);
  CHECK(second->delivery_count == 2);
  CHECK(second->first_acquirer == false);
}
