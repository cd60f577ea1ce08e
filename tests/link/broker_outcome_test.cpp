// Goal: every outcome a consumer can give has its effect on the queue, and a
// message that comes back says so. Method: as in broker_publish_consume_test.

#include "tests/link/broker_harness.hpp"
#include "tests/support/catch.hpp"

using namespace rookery;
using namespace rookery::tests;

namespace {

using bridge::outcome;

/// A queue that holds "a" and "b", and a consumer with credit for one.
struct one_held {
  one_held() {
    t.declare("q");
    t.put("q", {"a", "b"});
    in = &client.receiver("/queues/q", 1);
    t.pump();
    REQUIRE(in->bodies() == texts{"a"});
  }

  void settle(const outcome& how) {
    in->settle_first(how);
    in->self.add_credit(1);
    t.pump();
  }

  broker_harness t;
  test_client& client = t.connect();
  client_link* in = nullptr;
};

} // namespace

TEST_CASE("broker: accepted and rejected finish a message", "[broker][link]") {
  one_held x;
  SECTION("accepted") {
    x.settle(outcome::accepted());
    CHECK(x.t.counts("q").accepted == 1);
  }
  SECTION("rejected") {
    x.settle(outcome::rejected("amqp:decode-error", "bad"));
    CHECK(x.t.counts("q").rejected == 1);
  }
  SECTION("modified, undeliverable here") {
    x.settle({.kind = outcome::kind_type::modified,
              .failed = true,
              .undeliverable_here = true});
    CHECK(x.t.counts("q").undeliverable == 1);
  }
  CHECK(x.in->bodies() == texts{"b"});
}

TEST_CASE("broker: released returns a message without counting it",
          "[broker][link]") {
  one_held x;
  SECTION("released") { x.settle(outcome::released()); }
  SECTION("modified, not failed") {
    x.settle({.kind = outcome::kind_type::modified});
  }
  REQUIRE(x.in->bodies() == texts{"a"});
  const auto again = x.in->deliveries[0].message();
  CHECK(again.delivery_count == 0);
  CHECK(again.first_acquirer == false);
  CHECK(again.redelivered());
}

TEST_CASE("broker: a message settled without an outcome ends the session",
          "[broker][link]") {
  one_held x;
  x.in->settle_first({});
  x.t.pump();
  REQUIRE(x.client.ended_sessions.size() == 1);
  CHECK(x.client.ended_sessions[0].name == "amqp:invalid-field");
  CHECK(x.t.counts("q").ready == 2);
}

TEST_CASE("broker: modified as failed raises the delivery count",
          "[broker][link]") {
  one_held x;
  for (std::uint32_t n = 1; n < 4; ++n) {
    x.settle(outcome::failure());
    REQUIRE(x.in->bodies() == texts{"a"});
    const auto again = x.in->deliveries[0].message();
    CHECK(again.delivery_count == n);
    CHECK(again.first_acquirer == false);
    CHECK(again.durable);
  }
}

TEST_CASE("broker: a redelivery keeps the sections behind the header",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& out = client.sender("/queues/q");
  auto& in = client.receiver("/queues/q", 2);
  t.pump();
  bridge::envelope sent;
  sent.message_id = "s-1";
  sent.type = "a.B";
  sent.body = "body";
  sent.priority = 7;
  sent.ttl = std::chrono::milliseconds{60'000};
  std::string bytes;
  amqp::encode_message(sent, bytes);
  out.send(bytes);
  t.pump();
  in.settle_first(outcome::failure());
  t.pump();
  REQUIRE(in.deliveries.size() == 1);
  auto expected = sent;
  expected.delivery_count = 1;
  expected.first_acquirer = false;
  CHECK(in.deliveries[0].message() == expected);
}

TEST_CASE("broker: a poison message is dropped at the delivery limit",
          "[broker][link]") {
  broker_harness t;
  t.declare("q", {.delivery_limit = 2});
  t.put("q", {"poison", "good"});
  auto& client = t.connect();
  auto& in = client.receiver("/queues/q", 10);
  t.pump();
  for (int n = 0; n < 3; ++n) {
    REQUIRE(in.deliveries.size() == 2);
    REQUIRE(in.deliveries[n == 0 ? 0 : 1].text() == "poison");
    in.deliveries[n == 0 ? 0 : 1].handle.settle(outcome::failure());
    in.deliveries.erase(in.deliveries.begin() + (n == 0 ? 0 : 1));
    t.pump();
  }
  CHECK(in.bodies() == texts{"good"});
  CHECK(t.counts("q").dropped_delivery_limit == 1);
}

TEST_CASE("broker: draining returns what the queue cannot use",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  t.put("q", {"a", "b"});
  auto& client = t.connect();
  auto& in = client.receiver("/queues/q");
  t.pump();
  in.self.drain(10);
  t.pump();
  CHECK(in.bodies() == texts{"a", "b"});
  CHECK(in.self.credit() == 0);
  t.put("q", {"c"});
  CHECK(in.deliveries.size() == 2);
  in.self.add_credit(1);
  t.pump();
  CHECK(in.bodies() == texts{"a", "b", "c"});
}

TEST_CASE("broker: draining an empty queue answers at once", "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& in = client.receiver("/queues/q", 5);
  t.pump();
  REQUIRE(in.self.credit() == 5);
  in.self.drain(0);
  t.pump();
  CHECK(in.self.credit() == 0);
}

TEST_CASE("broker: what a detached link held goes back uncounted, in order",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  t.put("q", {"a", "b", "c", "d"});
  auto& first = t.connect();
  auto& second = t.connect();
  auto& in = first.receiver("/queues/q", 3);
  t.pump();
  REQUIRE(in.deliveries.size() == 3);
  in.self.close();
  t.pump();
  CHECK(in.closed);
  auto& next = second.receiver("/queues/q", 10);
  t.pump();
  CHECK(next.bodies() == texts{"a", "b", "c", "d"});
  CHECK(next.deliveries[0].message().delivery_count == 0);
  CHECK(next.deliveries[0].message().first_acquirer == false);
  CHECK_FALSE(next.deliveries[3].message().redelivered());
}

TEST_CASE("broker: a cut connection returns what it held, counted, in order",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  t.put("q", {"a", "b", "c", "d"});
  auto& first = t.connect();
  auto& second = t.connect();
  auto& in = first.receiver("/queues/q", 3);
  t.pump();
  REQUIRE(in.deliveries.size() == 3);
  in.deliveries[1].handle.settle(outcome::accepted());
  t.pump();
  t.cut(first);
  CHECK(t.sink.closed.size() == 1);
  CHECK(t.counts("q").consumers == 0);
  auto& next = second.receiver("/queues/q", 10);
  t.pump();
  CHECK(next.bodies() == texts{"a", "c", "d"});
  CHECK(next.deliveries[0].message().delivery_count == 1);
  CHECK(next.deliveries[1].message().delivery_count == 1);
  CHECK(next.deliveries[2].message().delivery_count == 0);
}

TEST_CASE(
    "broker: an ended session is a failure for links that were not closed",
    "[broker][link]") {
  const bool closes_link = GENERATE(false, true);
  INFO("closes the link first: " << closes_link);
  broker_harness t;
  t.declare("q");
  t.put("q", {"a"});
  auto& client = t.connect();
  auto& in = client.receiver("/queues/q", 3);
  t.pump();
  auto session = in.self.session();
  if (closes_link)
    in.self.close();
  session.close(); // in one breath
  t.pump();
  auto& next = client.receiver("/queues/q", 10);
  t.pump();
  REQUIRE(next.bodies() == texts{"a"});
  CHECK(next.deliveries[0].message().delivery_count == (closes_link ? 0 : 1));
}

TEST_CASE("broker: a silent client is cut off and its messages go on",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  t.put("q", {"a"});
  auto& first = t.connect();
  auto& in = first.receiver("/queues/q", 3);
  t.pump();
  REQUIRE(in.deliveries.size() == 1);
  t.wire_of(first).stall(true);
  t.wire_of(first).advance(std::chrono::seconds{12});
  t.pump();
  CHECK(t.counts("q").consumers == 0);
  CHECK(t.counts("q").ready == 1);
  REQUIRE(t.sink.closed.size() == 1);
  CHECK(t.sink.closed[0].find("idle-timeout") != std::string::npos);
}
