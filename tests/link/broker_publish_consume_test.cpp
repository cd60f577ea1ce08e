// Goal: what a client publishes is what another consumes, whatever the cuts of
// the bytes, the size and the credit. Method: a whole broker and real AMQP
// engines in one thread, joined in memory.

#include "tests/link/broker_harness.hpp"
#include "tests/support/catch.hpp"

#include <proton/annotation_key.hpp>
#include <proton/map.hpp>
#include <proton/message.hpp>
#include <proton/symbol.hpp>

using namespace rookery;
using namespace rookery::tests;

namespace {

using outcome_kind = bridge::outcome::kind_type;

proton::message decoded(const std::string& bytes) {
  proton::message result;
  result.decode({bytes.begin(), bytes.end()});
  return result;
}

std::string encoded(const proton::message& x) {
  auto bytes = x.encode();
  return {bytes.begin(), bytes.end()};
}

std::size_t count(const client_link& x, outcome_kind kind) {
  std::size_t n = 0;
  for (const auto& each : x.outcomes)
    n += each.kind == kind ? 1 : 0;
  return n;
}

} // namespace

TEST_CASE("broker: a message crosses from publisher to consumer",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& publisher = t.connect();
  auto& consumer = t.connect();
  auto& out = publisher.sender("/queues/q");
  auto& in = consumer.receiver("/queues/q", 10);
  t.pump();
  out.send_text("hello");
  t.pump();
  REQUIRE(in.bodies() == texts{"hello"});
  CHECK(in.deliveries[0].message().delivery_count == 0);
  CHECK(count(out, outcome_kind::accepted) == 1);
  CHECK(t.counts("q").unsettled == 1);
  in.settle_first(bridge::outcome::accepted());
  t.pump();
  CHECK(t.counts("q").accepted == 1);
  CHECK(t.counts("q").held_cost == 0);
}

TEST_CASE("broker: OPEN says what it can do", "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  REQUIRE(client.peer);
  CHECK(client.peer->container_id == "broker");
}

TEST_CASE("broker: the first delivery passes what is behind the header",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& out = client.sender("/queues/q");
  auto& in = client.receiver("/queues/q", 10);
  t.pump();
  // No header, an unknown annotation, a body that is not ours.
  const std::string odd("\x00\x53\x72\xc1\x07\x02\xa3\x03x-a\x41"
                        "\x00\x53\x77\xa1\x02hi",
                        19);
  out.send(odd);
  t.pump();
  REQUIRE(in.deliveries.size() == 1);
  // Durable, for it does not say; and nobody had it before.
  const std::string header("\x00\x53\x70\xc0\x06\x05\x41\x40\x40\x41\x43", 11);
  CHECK(in.deliveries[0].bytes == header + odd);
}

TEST_CASE("broker: who had a message before is not the publisher's to say",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& out = client.sender("/queues/q");
  auto& in = client.receiver("/queues/q", 10);
  t.pump();
  proton::message sent{"hello"};
  sent.priority(7);
  sent.delivery_count(3);
  sent.delivery_annotations().put(proton::symbol{"x-hop"}, 5);
  sent.message_annotations().put(proton::symbol{"x-mine"}, 6);
  sent.to("/queues/elsewhere");
  out.send(encoded(sent));
  t.pump();
  REQUIRE(in.deliveries.size() == 1);
  const auto got = decoded(in.deliveries[0].bytes);
  CHECK(got.first_acquirer());
  CHECK(got.delivery_count() == 0);
  CHECK(got.priority() == 7);
  CHECK(got.delivery_annotations().empty()); // they were for this hop
  CHECK(got.message_annotations().size() == 1);
  CHECK(got.to() == "/queues/elsewhere");
  CHECK(proton::get<std::string>(got.body()) == "hello");
}

TEST_CASE("broker: what a queue holds takes no more than it counts",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& out = t.connect().sender("/queues/q");
  t.pump();
  proton::message sent;
  sent.body(std::string{"x"});
  sent.delivery_annotations().put(proton::symbol{"x-hop"},
                                  std::string(100'000, 'x'));
  out.send(encoded(sent));
  t.pump();
  auto consumer = t.shared.host.attach("q", {.settled = true});
  REQUIRE(consumer);
  consumer.value()->set_credit(1);
  broker::event got;
  REQUIRE(t.shared.host.next(got));
  CHECK(got.message->bytes.capacity() < 200);
}

TEST_CASE("broker: a redelivery says how often the message was given out",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& out = client.sender("/queues/q");
  auto& in = client.receiver("/queues/q", 10);
  t.pump();
  proton::message sent{"hello"};
  sent.message_annotations().put(proton::symbol{"x-mine"}, 6);
  out.send(encoded(sent));
  t.pump();
  for (std::int64_t before = 0; before < 3; ++before) {
    REQUIRE(in.deliveries.size() == 1);
    const auto got = decoded(in.deliveries[0].bytes);
    const auto& notes = got.message_annotations();
    CHECK(notes.get(proton::symbol{"x-mine"}) == proton::scalar{6});
    CHECK(notes.exists(proton::symbol{"x-delivery-count"}) == (before > 0));
    if (before > 0)
      CHECK(notes.get(proton::symbol{"x-delivery-count"})
            == proton::scalar{before});
    in.settle_first(bridge::outcome::released());
    t.pump();
  }
}

TEST_CASE("broker: names are percent-decoded", "[broker][link]") {
  broker_harness t;
  t.declare("a/b c%");
  auto& client = t.connect();
  auto& out = client.sender("/queues/a%2Fb%20c%25");
  auto& in = client.receiver("/queues/a%2fb%20c%25", 1);
  t.pump();
  out.send_text("x");
  t.pump();
  CHECK(in.bodies() == texts{"x"});
}

TEST_CASE("broker: a plain name makes a queue when a link is attached to it",
          "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  SECTION("as source") {
    client.receiver("work");
    t.pump();
  }
  SECTION("as target") {
    client.sender("work");
    t.pump();
  }
  REQUIRE(t.shared.host.find_queue("work") != nullptr);
  auto& out = client.sender("work");
  auto& in = client.receiver("work", 1);
  t.pump();
  out.send_text("x");
  t.pump();
  CHECK(in.bodies() == texts{"x"});
  CHECK(in.agreed.source == "work");
}

TEST_CASE("broker: a dynamic source is a queue of its own for replies",
          "[broker][link]") {
  broker_harness t;
  auto& asker = t.connect();
  auto& server = t.connect();
  auto& replies =
      asker.attach(false, "replies", {.target = "client", .dynamic = true});
  replies.self.add_credit(5);
  auto& out = server.sender(std::nullopt);
  t.pump();
  REQUIRE(replies.agreed.source);
  const auto address = *replies.agreed.source;
  CHECK(address.starts_with("/queues/dynamic-cafe-"));
  out.send_text("answer", address);
  t.pump();
  CHECK(replies.bodies() == texts{"answer"});
  t.cut(asker);
  out.send_text("too late", address);
  t.pump();
  REQUIRE(out.outcomes.size() == 2);
  CHECK(out.outcomes[1].kind == outcome_kind::released);
}

TEST_CASE("broker: bytes that come one by one make no difference",
          "[broker][link]") {
  broker_harness t{{}, 1};
  auto& client = t.connect();
  auto& out = client.sender("q");
  auto& in = client.receiver("q", 20);
  t.pump();
  texts all;
  for (int i = 0; i < 20; ++i) {
    all.push_back("message " + std::to_string(i));
    out.send_text(all.back());
  }
  t.pump();
  CHECK(in.bodies() == all);
  CHECK(count(out, outcome_kind::accepted) == 20);
}

TEST_CASE("broker: ten thousand messages pass a credit of ten in order",
          "[broker][link]") {
  broker_harness t;
  auto& publisher = t.connect();
  auto& consumer = t.connect();
  auto& out = publisher.sender("q");
  auto& in = consumer.receiver("q", 10);
  t.pump();
  std::size_t next = 0;
  std::size_t got = 0;
  while (got < 10'000) {
    while (next < 10'000 && out.self.credit() > 0)
      out.send_text(std::to_string(next++));
    t.pump();
    REQUIRE(in.deliveries.size() <= 10);
    REQUIRE_FALSE(in.deliveries.empty());
    while (!in.deliveries.empty()) {
      REQUIRE(in.deliveries[0].text() == std::to_string(got++));
      in.settle_first(bridge::outcome::accepted());
      in.self.add_credit(1);
    }
  }
  t.pump();
  CHECK(count(out, outcome_kind::accepted) == 10'000);
  CHECK(t.counts("q").accepted == 10'000);
  CHECK(t.shared.snapshot().messages_out == 10'000);
  CHECK(t.shared.host.bytes_used() == 0);
}

TEST_CASE(
    "broker: a message of the greatest size passes, a longer one does not",
    "[broker][link]") {
  broker::broker_options options;
  options.message_bytes_max = 1 << 20;
  broker_harness t{options};
  auto& publisher = t.connect();
  auto& consumer = t.connect();
  auto& out = publisher.sender("q");
  auto& in = consumer.receiver("q", 10);
  t.pump();
  CHECK(out.agreed.message_bytes_max == 1 << 20);
  const auto overhead = message_of(std::string(1000, 'x')).size() - 1000;
  const std::string body((1 << 20) - overhead, 'x');
  REQUIRE(message_of(body).size() == 1 << 20);
  out.send_text(body);
  t.pump();
  REQUIRE(in.deliveries.size() == 1);
  CHECK(in.deliveries[0].text() == body);
  out.send_text(body + "x");
  t.pump();
  CHECK(publisher.closed);
  CHECK_FALSE(consumer.closed);
  CHECK(in.deliveries.size() == 1);
}

TEST_CASE("broker: a pre-settled consumer holds nothing", "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& in = client.attach(
      false, "in", {.source = "/queues/q", .target = "c", .presettled = true});
  in.self.add_credit(2);
  t.pump();
  t.put("q", {"a", "b", "c"});
  CHECK(in.bodies() == texts{"a", "b"});
  CHECK(in.deliveries[0].handle.settled_by_sender());
  CHECK(t.counts("q").unsettled == 0);
  CHECK(t.counts("q").accepted == 2);
  t.cut(client);
  CHECK(t.counts("q").ready == 1);
}

TEST_CASE("broker: pre-settled publishing is counted and delivered",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& out = client.attach(
      true, "out", {.source = "c", .target = "/queues/q", .mixed = true});
  auto& in = client.receiver("/queues/q", 5);
  t.pump();
  out.send(message_of("a"), true);
  out.send(message_of("b"), false);
  t.pump();
  CHECK(in.bodies() == texts{"a", "b"});
  CHECK(out.outcomes.size() == 1);
  CHECK(t.shared.counters.messages_in == 2);
}

TEST_CASE("broker: a message that is settled, or not, against the word of its "
          "link ends the session",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  const auto settles = GENERATE(false, true);
  auto& out = client.attach(
      true, "out",
      {.source = "c", .target = "/queues/q", .presettled = settles});
  t.pump();
  out.send(message_of("a"), !settles);
  t.pump();
  REQUIRE(client.ended_sessions.size() == 1);
  CHECK(client.ended_sessions[0].name == "amqp:connection:framing-error");
  CHECK(t.counts("q").ready == 0);
}
