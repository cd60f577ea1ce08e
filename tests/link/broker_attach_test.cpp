// Goal: what cannot be attached ends the session with a reason, as in
// RabbitMQ, and nothing else. Method: as in broker_publish_consume_test.

#include "tests/link/broker_harness.hpp"
#include "tests/support/catch.hpp"

#include <proton/link.h>

using namespace rookery;
using namespace rookery::tests;

namespace {

/// The reason for which the session of an attach ended; empty if it did not.
std::string ended(broker_harness& t, test_client& client) {
  t.pump();
  CHECK_FALSE(client.closed);
  if (client.ended_sessions.empty())
    return {};
  CHECK_FALSE(client.links.back().open);
  CHECK(t.sink.refused_attaches.size() == client.ended_sessions.size());
  return client.ended_sessions.back().name;
}

} // namespace

TEST_CASE("broker: a missing queue or exchange ends the session",
          "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  SECTION("source") { client.receiver("/queues/nope"); }
  SECTION("target") { client.sender("/queues/nope"); }
  SECTION("exchange") { client.sender("/exchanges/nope"); }
  CHECK(ended(t, client) == "amqp:not-found");
  CHECK(client.ended_sessions[0].description.find("'nope' does not exist")
        != std::string::npos);
}

TEST_CASE("broker: a malformed address ends the session", "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  SECTION("escape") { client.receiver("/queues/%zz"); }
  SECTION("no name") { client.sender("/queues/"); }
  SECTION("version 1") { client.sender("/amq/queue/x"); }
  SECTION("exchange as source") { client.receiver("/exchanges/amq.fanout"); }
  SECTION("default exchange") { client.sender("/exchanges/amq.default/x"); }
  SECTION("unpaired management") { client.sender("/management"); }
  SECTION("no source") { client.attach(false, "in", {.target = "c"}); }
  const std::string name(256, 'n');
  SECTION("long plain name") { client.receiver(name); }
  SECTION("long source") { client.receiver("/queues/" + name); }
  SECTION("long target") { client.sender("/queues/" + name); }
  SECTION("long exchange") { client.sender("/exchanges/" + name); }
  SECTION("long key") { client.sender("/exchanges/amq.direct/" + name); }
  CHECK(ended(t, client) == "amqp:invalid-field");
  CHECK(client.ended_sessions[0].description.size() < 400);
}

TEST_CASE("broker: a name may have 255 bytes, however it is written",
          "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  const std::string name(255, 'n');
  client.receiver(name);
  std::string address = "/queues/";
  for (std::size_t i = 0; i < name.size(); ++i)
    address += "%6e";
  client.sender(address);
  CHECK(ended(t, client).empty());
  CHECK(t.counts(name).consumers == 1);
}

TEST_CASE("broker: what it does not do is said", "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  SECTION("dynamic target") {
    client.attach(true, "out", {.source = "c", .dynamic = true});
  }
  SECTION("settling second") {
    auto s = client.engine->open_session();
    auto& made = client.links.emplace_back();
    made.self = client.engine->make_receiver(s, "in");
    made.self.set_context(&made);
    pn_link_set_rcv_settle_mode(made.self.get(), PN_RCV_SECOND);
    pn_terminus_set_address(pn_link_source(made.self.get()), "q");
    pn_link_open(made.self.get());
  }
  CHECK(ended(t, client) == "amqp:not-implemented");
}

TEST_CASE("broker: a reserved plain name is refused", "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  client.receiver("amq.mine");
  CHECK(ended(t, client) == "amqp:unauthorized-access");
}

TEST_CASE("broker: another connection's exclusive queue is locked",
          "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  broker::queue_options options;
  options.exclusive = true;
  REQUIRE(t.shared.host.declare_queue("mine", options, 77));
  client.receiver("/queues/mine");
  CHECK(ended(t, client) == "amqp:resource-locked");
  // But anybody may send to it: replies come so.
  auto& out = client.sender("/queues/mine");
  t.pump();
  CHECK(out.open);
}

TEST_CASE("broker: an ended session takes its links, not its neighbours",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  t.put("q", {"a"});
  auto& client = t.connect();
  auto session = client.engine->open_session();
  auto& in = client.attach(false, "in", {.source = "/queues/q", .target = "c"},
                           session);
  auto& other = client.sender("/queues/q");
  in.self.add_credit(1);
  t.pump();
  REQUIRE(in.deliveries.size() == 1);
  client.attach(true, "bad", {.source = "c", .target = "/queues/nope"},
                session);
  t.pump();
  CHECK(client.ended_sessions.size() == 1);
  CHECK(in.closed);
  CHECK(t.counts("q").consumers == 0);
  CHECK(t.counts("q").ready == 1);
  other.send_text("b");
  t.pump();
  CHECK(other.outcomes.size() == 1);
}

TEST_CASE("broker: the link above the limit ends its session",
          "[broker][link]") {
  broker::broker_options options;
  options.links_per_session_max = 3;
  broker_harness t{options};
  auto& client = t.connect();
  auto session = client.engine->open_session();
  const auto add = [&](const std::string& name) -> client_link& {
    return client.attach(true, name, {.source = "c", .target = "q"}, session);
  };
  add("1");
  add("2");
  auto& third = add("3");
  t.pump();
  CHECK(client.ended_sessions.empty());
  third.self.close();
  t.pump();
  add("4");
  t.pump();
  CHECK(client.ended_sessions.empty());
  add("5");
  t.pump();
  REQUIRE(client.ended_sessions.size() == 1);
  CHECK(client.ended_sessions[0].name == "amqp:connection:framing-error");
  CHECK(t.shared.counters.attaches_refused == 1);
}

TEST_CASE("broker: one session more than allowed ends the connection",
          "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  // Our own engine keeps to the limit that the broker announced.
  for (int i = 0; i < 64; ++i)
    client.sender("q");
  t.pump();
  CHECK_FALSE(client.closed);
  for (const auto& each : client.links)
    CHECK(each.open);
}

TEST_CASE("broker: deleting a queue ends the links to it", "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& in = client.receiver("/queues/q", 1);
  auto& out = client.sender("/queues/q");
  t.pump();
  auto gone = t.shared.host.delete_queue("q", 0);
  REQUIRE(gone);
  t.shared.queue_deleted("q", gone.value().cancelled);
  t.pump();
  REQUIRE(in.closed);
  CHECK(in.closed->name == "amqp:resource-deleted");
  REQUIRE(out.closed);
  CHECK(out.closed->name == "amqp:resource-deleted");
  CHECK(client.ended_sessions.empty());
}

TEST_CASE("broker: who goes takes its queues along, and its links to them",
          "[broker][link]") {
  broker_harness t;
  auto& other = t.connect();
  auto& going = t.connect();
  auto& in = going.attach(false, "in", {.target = "c", .dynamic = true});
  t.pump();
  const auto queue = in.agreed.source; // goes with it
  going.sender(queue);
  auto& out = other.sender(queue);
  t.pump();
  t.wire_of(going).cut();
  t.pump();
  REQUIRE(out.closed);
  CHECK(out.closed->name == "amqp:resource-deleted");
}

TEST_CASE("broker: what comes for a queue that is just gone is unroutable",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& out = client.sender("/queues/q");
  t.pump();
  out.send(message_of("late"));
  REQUIRE(t.wire_of(client).step()); // it is there, and not looked at
  auto gone = t.shared.host.delete_queue("q", 0);
  REQUIRE(gone);
  t.shared.queue_deleted("q", gone.value().cancelled);
  t.pump();
  REQUIRE(out.outcomes.size() == 1);
  CHECK(out.outcomes[0] == bridge::outcome::released());
}

TEST_CASE("broker: an auto-delete queue that goes ends the links to it",
          "[broker][link]") {
  broker_harness t;
  broker::queue_options options;
  options.auto_delete = true;
  t.declare("q", options);
  auto& client = t.connect();
  auto& other = t.connect();
  auto& in = client.receiver("/queues/q", 1);
  auto& near = client.sender("/queues/q");
  auto& far = other.sender("/queues/q");
  t.pump();
  SECTION("its consumer closes") {
    in.self.close();
    t.pump();
    REQUIRE(near.closed);
    CHECK(near.closed->name == "amqp:resource-deleted");
  }
  SECTION("its consumer's session ends") {
    in.self.session().close();
    t.pump();
    REQUIRE(near.closed);
    CHECK(near.closed->name == "amqp:resource-deleted");
  }
  SECTION("its consumer's connection is cut") { t.cut(client); }
  CHECK(t.shared.host.find_queue("q") == nullptr);
  REQUIRE(far.closed);
  CHECK(far.closed->name == "amqp:resource-deleted");
}

TEST_CASE("broker: an exclusive queue that goes ends the links to it",
          "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  auto& other = t.connect();
  auto& in = client.attach(false, "in", {.target = "client", .dynamic = true});
  t.pump();
  REQUIRE(in.agreed.source);
  auto& out = other.sender(*in.agreed.source);
  t.pump();
  REQUIRE(out.open);
  t.cut(client);
  REQUIRE(out.closed);
  CHECK(out.closed->name == "amqp:resource-deleted");
}
