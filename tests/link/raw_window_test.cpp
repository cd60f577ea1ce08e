// Goal: what a client's session window keeps from being written is counted as
// what waits for its socket is. Method: as in raw_client_test; the client shuts
// the window, and makes the broker write other things all the same.
#include "tests/link/raw_client.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using namespace rookery;
using namespace rookery::tests;

namespace {

constexpr std::size_t output_bytes_max = 20'000;
constexpr std::size_t message_bytes_max = 100'000;

const std::string shut = hex("43");
const std::string wide = hex("70 00 00 ff ff");

/// A FLOW with that session window, and for the link with handle 0 that credit.
std::string flow(const std::string& window, const std::string& credit,
                 std::uint16_t channel = 0) {
  return raw_frame(
      performative(0x13, 7,
                   hex("40") + window + hex("43 52 64 43 43") + credit),
      channel);
}
std::string flow(const std::string& window) {
  return raw_frame(performative(0x13, 4, hex("43") + window + hex("43 52 64")));
}

/// A consumer of "q" with handle 0.
std::string consumer(const std::string& settle_mode = hex("40"),
                     std::uint16_t channel = 0) {
  return raw_frame(
      performative(0x12, 7,
                   hex("a1 01 'c' 43 41") + settle_mode
                       + hex("40 00 53 28 c0 0c 01 a1 09 '/queues/q'"
                             "00 53 29 c0 04 01 a1 01 't'")),
      channel);
}
const std::string settled = hex("50 01");
const std::string credit_1000 = hex("70 00 00 03 e8");

struct shut_window {
  shut_window() {
    broker::queue_options endless;
    endless.delivery_limit = -1;
    all.declare("q", endless);
    all.put("q", texts(1'000, std::string(100, 'x')));
    client.far.say(raw_begin());
  }
  /// The broker has something to write, and all of it goes out.
  void write_something() {
    client.far.say(raw_begin(1) + raw_frame(performative(0x17, 0, ""), 1));
  }
  [[nodiscard]] std::size_t ready() const { return all.counts("q").ready; }

  static broker::broker_options options() {
    broker::broker_options result;
    result.output_bytes_max = output_bytes_max;
    result.message_bytes_max = message_bytes_max;
    return result;
  }
  broker_harness all{options()};
  raw_client client{all};
};

std::string request(std::size_t number) {
  const auto properties =
      hex("44 40") + raw_text("/queues/q") + raw_text("GET") + raw_text("$me");
  return raw_transfer{.handle = hex("52 01"),
                      .delivery_id = hex("70") + big_endian(number),
                      .payload = hex("00 53 73 c0")
                                 + static_cast<char>(properties.size() + 1)
                                 + hex("05") + properties + hex("00 53 77 40")}
      .frame();
}

std::size_t count(const std::string& where, const std::string& what) {
  std::size_t result = 0;
  for (auto at = where.find(what); at != std::string::npos;
       at = where.find(what, at + 1))
    ++result;
  return result;
}

} // namespace

TEST_CASE("broker: behind a shut window only so much waits, whatever else is "
          "written",
          "[broker][raw]") {
  shut_window w;
  w.client.far.say(consumer() + flow(shut, credit_1000));
  CHECK(w.ready() < 950);
  CHECK(w.ready() > 850);
  const auto before = w.ready();
  for (int i = 0; i < 100; ++i)
    w.write_something();
  CHECK(w.ready() == before);
  CHECK_FALSE(w.client.far.over());

  w.client.far.say(flow(wide));
  CHECK(w.ready() == 0);
}

TEST_CASE("broker: what a link that ended has not taken is not kept",
          "[broker][raw]") {
  shut_window w;
  for (int i = 0; i < 100; ++i) {
    w.client.far.say(consumer() + flow(shut, credit_1000));
    CHECK(w.ready() < 950);
    w.client.far.say(raw_frame(performative(0x16, 2, hex("43 41"))));
    CHECK(w.ready() == 1'000);
  }
  CHECK_FALSE(w.client.far.over());
  w.client.far.say(consumer() + flow(wide, credit_1000));
  CHECK(w.ready() == 0);
}

TEST_CASE("broker: who leaves too much that cannot be forgotten is cut off",
          "[broker][raw]") {
  shut_window w;
  for (int i = 0; i < 100 && !w.client.far.over(); ++i) {
    w.client.far.say(consumer(settled) + flow(shut, credit_1000));
    w.client.far.say(raw_frame(performative(0x16, 2, hex("43 41"))));
  }
  CHECK(w.client.far.over());
  REQUIRE(w.all.sink.closed.size() == 1);
  CHECK(w.all.sink.closed[0].starts_with("amqp:resource-limit-exceeded"));
  CHECK(w.ready() > 0);
}

TEST_CASE("broker: who drains behind a narrow window is told when all is "
          "written",
          "[broker][raw]") {
  constexpr std::size_t put = 30;
  broker_harness all{shut_window::options()};
  all.declare("q");
  all.put("q", texts(put, "x"));
  raw_client client{all};
  client.far.say(raw_begin() + consumer());
  client.far.heard();
  // Ten transfers, credit 100, and drain.
  client.far.say(raw_frame(
      performative(0x13, 9, hex("43 52 0a 43 52 64 43 43 52 64 40 41"))));
  auto heard = client.far.heard();
  CHECK(count(heard, hex("00 53 14")) == 10);
  CHECK(count(heard, hex("00 53 13")) == 0);
  client.far.say(flow(hex("52 1e")));
  heard = client.far.heard();
  CHECK(count(heard, hex("00 53 14")) == put - 10);
  CHECK(count(heard, hex("00 53 13")) == 1);
  // Handle 0, delivery-count 100, credit 0, drain.
  CHECK(count(heard, hex("43 52 64 43 40 41")) == 1);
  CHECK(all.counts("q").unsettled == put);
  // And credit granted anew counts.
  all.put("q", {"y"});
  CHECK(count(client.far.heard(), hex("00 53 14")) == 0);
  client.far.say(raw_frame(
      performative(0x13, 7, hex("52 1e 52 64 43 52 64 43 52 64 52 01"))));
  CHECK(count(client.far.heard(), hex("00 53 14")) == 1);
}

TEST_CASE("broker: who drains the answers of management behind a shut window "
          "is told when all is written",
          "[broker][raw]") {
  shut_window w;
  w.client.far.say(raw_management(true) + raw_management(false) + flow(wide));
  w.client.far.heard();
  w.client.far.say(flow(shut, hex("52 05")) + request(0));
  CHECK(count(w.client.far.heard(), hex("00 53 14")) == 0);
  const auto drain =
      raw_frame(performative(0x13, 9, hex("43 43 43 52 64 43 43 52 05 40 41")));
  w.client.far.say(drain);
  CHECK(count(w.client.far.heard(), hex("00 53 13")) == 0);
  w.client.far.say(flow(wide));
  const auto heard = w.client.far.heard();
  CHECK(count(heard, hex("00 53 14")) == 1);
  CHECK(count(heard, hex("52 05 43 40 41")) == 1);
}

TEST_CASE("broker: answers of management behind a shut window hold up requests",
          "[broker][raw]") {
  shut_window w;
  w.client.far.say(raw_management(true) + raw_management(false)
                   + flow(shut, credit_1000));
  const auto granted = count(w.client.far.heard(), hex("52 08"));
  REQUIRE(granted > 0);
  std::size_t asked = 0;
  // A grant is a FLOW.
  for (std::size_t credit = 8; credit > 0 && asked < 10'000;) {
    --credit;
    w.client.far.say(request(asked++));
    w.write_something();
    if (count(w.client.far.heard(), hex("00 53 13")) > 0)
      credit = 8;
  }
  CHECK(asked > 20);
  CHECK(asked < 200);
  CHECK_FALSE(w.client.far.over());
  w.client.far.say(flow(wide));
  CHECK(count(w.client.far.heard(), hex("00 53 13")) > 0);
}
