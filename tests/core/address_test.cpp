// Goal: an address survives text and wire whatever bytes its names hold, and a
// bad one is refused with a sentence. Method: cases by hand, and random names
// (ROOKERY_SEED) through both forms and back.
#include "bridge/address.hpp"

#include "bridge/percent.hpp"
#include "bridge/profiles/rabbitmq4.hpp"
#include "testing/seed.hpp"
#include "tests/support/catch.hpp"

#include <string>
#include <unordered_set>

using rookery::bridge::address;
using rookery::bridge::percent_decode;
using rookery::bridge::percent_encode;
using rookery::bridge::rabbitmq4;
using rookery::testing::random_source;

namespace {

std::string encoded(std::string_view text) {
  std::string result;
  percent_encode(text, result);
  return result;
}

std::string fault(std::string_view text) {
  const auto result = address::parse(text);
  REQUIRE_FALSE(result);
  return result.error();
}

std::string wire_fault(std::string_view text) {
  const auto result = rabbitmq4().decode(text);
  REQUIRE_FALSE(result);
  return result.error();
}

std::string random_name(random_source& random, std::size_t shortest) {
  // Mostly bytes that mean something somewhere.
  constexpr std::string_view telling = "/%:exchange ~\n\"";
  std::string result;
  for (auto size = shortest + random.below(12); size > 0; --size)
    result += random.below(2) == 0 ? telling[random.below(telling.size())]
                                   : static_cast<char>(random.below(256));
  return result;
}

} // namespace

TEST_CASE("percent: only unreserved bytes stand for themselves",
          "[bridge][address]") {
  CHECK(encoded("Az09-._~") == "Az09-._~");
  CHECK(encoded("a b/c%") == "a%20b%2Fc%25");
  CHECK(encoded("\xc3\xa9") == "%C3%A9");
  CHECK(encoded({"\0", 1}) == "%00");
}

TEST_CASE("percent: decoding accepts both cases and refuses stray signs",
          "[bridge][address]") {
  CHECK(percent_decode("a%2Fb%2fc") == "a/b/c");
  CHECK(percent_decode("") == "");
  CHECK(percent_decode("%25") == "%");
  for (const char* bad : {"%", "%2", "a%2", "%2g", "%g2", "%%41"})
    CHECK_FALSE(percent_decode(bad));
}

TEST_CASE("address: values compare and hash by kind, name and key",
          "[bridge][address]") {
  const auto queue = address::queue("a");
  const auto exchange = address::exchange("a", "");
  CHECK(queue == address::queue("a"));
  CHECK(queue != exchange);
  CHECK(address::exchange("a", "b") != address::exchange("b", "a"));
  CHECK((queue < exchange) != (exchange < queue));
  const std::unordered_set<address> set{queue, exchange, queue};
  CHECK(set.size() == 2);
  CHECK(exchange.kind() == address::kind_type::exchange);
  CHECK(address::exchange("x", "k").key() == "k");
}

TEST_CASE("address: text form", "[bridge][address]") {
  CHECK(to_string(address::queue("rookery.shard.3-of-8"))
        == "rookery.shard.3-of-8");
  CHECK(to_string(address::exchange("rookery.tweets", ""))
        == "exchange:rookery.tweets");
  CHECK(to_string(address::exchange("x", "a/b")) == "exchange:x/a/b");
  CHECK(to_string(address::exchange("x/y", "k")) == "exchange:x%2Fy/k");
  CHECK(to_string(address::queue("a b%\n\xff")) == "a%20b%25%0A%FF");
  CHECK(to_string(address::queue("exchange:x")) == "exchange%3Ax");
}

TEST_CASE("address: parses text", "[bridge][address]") {
  CHECK(*address::parse("q") == address::queue("q"));
  CHECK(*address::parse("a/b") == address::queue("a/b"));
  CHECK(*address::parse("caf\xc3\xa9") == address::queue("caf\xc3\xa9"));
  CHECK(*address::parse("a%20b") == address::queue("a b"));
  CHECK(*address::parse("exchange:x") == address::exchange("x", ""));
  CHECK(*address::parse("exchange:x/") == address::exchange("x", ""));
  CHECK(*address::parse("exchange:x/k/l") == address::exchange("x", "k/l"));
  CHECK(*address::parse("exchange%3Ax") == address::queue("exchange:x"));
  CHECK(address::parse(std::string(255, 'q')));
}

TEST_CASE("address: refuses bad text with a sentence", "[bridge][address]") {
  CHECK(fault("") == "address \"\": the name of the queue is empty");
  CHECK(fault("exchange:")
        == "address \"exchange:\": the name of the exchange is empty");
  CHECK(fault("exchange:/k")
        == "address \"exchange:/k\": the name of the exchange is empty");
  CHECK(fault("a%2")
        == "address \"a%252\": '%' must be followed by two hex "
           "digits");
  CHECK(fault(std::string(256, 'q')).ends_with("longer than 255 bytes"));
  CHECK(fault("exchange:x/" + std::string(256, 'k'))
            .ends_with("the routing key is longer than 255 bytes"));
  CHECK_FALSE(address::valid_name(""));
  CHECK_FALSE(address::valid_name(std::string(256, 'q')));
}

TEST_CASE("rabbitmq4: encodes and decodes addresses", "[bridge][profiles]") {
  const auto& profile = rabbitmq4();
  CHECK(profile.encode(address::queue("a/b")) == "/queues/a%2Fb");
  CHECK(profile.encode(address::exchange("x", "k 1")) == "/exchanges/x/k%201");
  CHECK(profile.encode(address::exchange("x", "")) == "/exchanges/x");
  CHECK(*profile.decode("/queues/a%2fb") == address::queue("a/b"));
  CHECK(*profile.decode("/exchanges/x/k") == address::exchange("x", "k"));
  CHECK(*profile.decode("/exchanges/x/") == address::exchange("x", ""));
  CHECK(*profile.decode("/exchanges/x") == address::exchange("x", ""));
}

TEST_CASE("rabbitmq4: refuses what the broker would refuse",
          "[bridge][profiles]") {
  CHECK(wire_fault("q")
        == "AMQP address \"q\": it must begin with \"/queues/\" or "
           "\"/exchanges/\"");
  CHECK(wire_fault("/queues/").ends_with("has a name of 1..255 bytes"));
  CHECK(wire_fault("/queues/a/b").ends_with("must be \"%2F\""));
  CHECK(wire_fault("/queues/a%").ends_with("two hex digits"));
  CHECK(wire_fault("/exchanges//k").ends_with("has a name of 1..255 bytes"));
  CHECK(wire_fault("/exchanges/x/k/l").ends_with("must be \"%2F\""));
  CHECK(wire_fault("/exchanges/x/%zz").ends_with("two hex digits"));
  CHECK(wire_fault("/exchanges/x/" + std::string(256, 'k'))
            .ends_with("longer than 255 bytes"));
  CHECK(wire_fault(std::string(5000, 'x')).size() < 500);
}

TEST_CASE("address: random names survive text and wire", "[bridge][address]") {
  const auto seed = rookery::testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  random_source random{seed};
  for (int round = 0; round < 5000; ++round) {
    const auto x =
        random.below(2) == 0
            ? address::queue(random_name(random, 1))
            : address::exchange(random_name(random, 1), random_name(random, 0));
    const auto text = to_string(x);
    const auto wire = rabbitmq4().encode(x);
    CAPTURE(text);
    const auto from_text = address::parse(text);
    const auto from_wire = rabbitmq4().decode(wire);
    if (!from_text || !from_wire || *from_text != x || *from_wire != x)
      FAIL("changed on the way: " << text << " and " << wire);
  }
}
