// Goal: a publisher is told the truth about where its message went. Method: as
// in broker_publish_consume_test.

#include "tests/link/broker_harness.hpp"
#include "tests/support/catch.hpp"

using namespace rookery;
using namespace rookery::tests;

namespace {

using outcome_kind = bridge::outcome::kind_type;

/// Publishes one message and returns what became of it.
bridge::outcome publish(broker_harness& t, client_link& out,
                        const std::string& bytes) {
  const auto before = out.outcomes.size();
  out.send(bytes);
  t.pump();
  REQUIRE(out.outcomes.size() == before + 1);
  return out.outcomes.back();
}

} // namespace

TEST_CASE("broker: a fanout exchange copies to every queue", "[broker][link]") {
  broker_harness t;
  t.declare("a");
  t.declare("b");
  auto& host = t.shared.host;
  REQUIRE(host.declare_exchange("x", broker::exchange_type::fanout, true));
  REQUIRE(host.bind("x", "a", "", 0));
  REQUIRE(host.bind("x", "b", "", 0));
  auto& client = t.connect();
  auto& out = client.sender("/exchanges/x");
  auto& a = client.receiver("/queues/a", 5);
  auto& b = client.receiver("/queues/b", 5);
  t.pump();
  CHECK(publish(t, out, message_of("m")).kind == outcome_kind::accepted);
  CHECK(a.bodies() == texts{"m"});
  CHECK(b.bodies() == texts{"m"});
}

TEST_CASE("broker: a direct exchange asks for the key", "[broker][link]") {
  broker_harness t;
  t.declare("a");
  auto& host = t.shared.host;
  REQUIRE(host.declare_exchange("x", broker::exchange_type::direct, true));
  REQUIRE(host.bind("x", "a", "k/1", 0));
  auto& client = t.connect();
  auto& right = client.sender("/exchanges/x/k%2F1");
  auto& wrong = client.sender("/exchanges/x/other");
  t.pump();
  CHECK(publish(t, right, message_of("m")).kind == outcome_kind::accepted);
  CHECK(publish(t, wrong, message_of("m")).kind == outcome_kind::released);
  CHECK(t.counts("a").ready == 1);
  CHECK(t.shared.counters.messages_released == 1);
}

TEST_CASE("broker: the anonymous terminus routes by 'to'", "[broker][link]") {
  broker_harness t;
  t.declare("a b");
  t.declare("plain");
  REQUIRE(
      t.shared.host.declare_exchange("x", broker::exchange_type::direct, true));
  REQUIRE(t.shared.host.bind("x", "a b", "k", 0));
  auto& client = t.connect();
  auto& out = client.sender(std::nullopt);
  t.pump();
  const auto to = [&](const std::string& address) {
    return publish(t, out, message_of("m", address));
  };
  CHECK(to("/queues/a%20b").kind == outcome_kind::accepted);
  CHECK(to("/exchanges/x/k").kind == outcome_kind::accepted);
  CHECK(to("plain").kind == outcome_kind::accepted);
  CHECK(to("/queues/nope").kind == outcome_kind::released);
  CHECK(to("/exchanges/x/nope").kind == outcome_kind::released);
  const std::string name(256, 'n');
  for (const auto& bad :
       texts{"/queues/", "/queues/%4", "/queue/a", "nope", "/exchanges/",
             "/exchanges/x/k/l", "", name, "/queues/" + name,
             "/exchanges/" + name + "/k", "/exchanges/x/" + name,
             "/exchanges/x/" + std::string(100'000, 'n')}) {
    INFO(bad);
    const auto how = to(bad);
    CHECK(how.kind == outcome_kind::rejected);
    CHECK(how.condition == "amqp:precondition-failed");
    CHECK(how.description.size() < 400);
  }
  const auto missing = to("/exchanges/nope/k");
  CHECK(missing.kind == outcome_kind::rejected);
  CHECK(missing.condition == "amqp:not-found");
  CHECK_FALSE(out.closed);
  CHECK(t.counts("a b").ready == 2);
}

TEST_CASE("broker: a settled message with a bad 'to' ends the anonymous link",
          "[broker][link]") {
  broker_harness t;
  auto& client = t.connect();
  auto& out = client.attach(true, "out", {.source = "c", .mixed = true});
  t.pump();
  out.send(message_of("m", "/nonsense"), true);
  t.pump();
  REQUIRE(out.closed);
  CHECK(out.closed->name == "amqp:precondition-failed");
  CHECK(client.ended_sessions.empty());
}

TEST_CASE("broker: an exchange that went ends the links to it",
          "[broker][link]") {
  broker_harness t;
  REQUIRE(
      t.shared.host.declare_exchange("x", broker::exchange_type::fanout, true));
  auto& client = t.connect();
  auto& out = client.sender("/exchanges/x");
  t.pump();
  REQUIRE(t.shared.host.delete_exchange("x"));
  CHECK(publish(t, out, message_of("m")).kind == outcome_kind::released);
  REQUIRE(out.closed);
  CHECK(out.closed->name == "amqp:not-found");
}

TEST_CASE("broker: bytes that are no message are rejected, neighbours pass",
          "[broker][link]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& out = client.sender("/queues/q");
  t.pump();
  const auto bad = publish(t, out, "this is no AMQP message");
  CHECK(bad.kind == outcome_kind::rejected);
  CHECK(bad.condition == "amqp:decode-error");
  CHECK(publish(t, out, message_of("m")).kind == outcome_kind::accepted);
  CHECK(t.sink.refused_messages.size() == 1);
  CHECK(t.shared.counters.messages_rejected == 1);
}

TEST_CASE("broker: a full queue that may refuse does", "[broker][link]") {
  broker_harness t;
  broker::queue_options options;
  options.length_max = 1;
  options.overflow = broker::overflow_policy::reject_publish;
  t.declare("q", options);
  auto& client = t.connect();
  auto& out = client.sender("/queues/q");
  t.pump();
  for (const auto* each : {"m", "n"}) // one beyond the limit
    CHECK(publish(t, out, message_of(each)).kind == outcome_kind::accepted);
  const auto refused = publish(t, out, message_of("o"));
  CHECK(refused.kind == outcome_kind::rejected);
  CHECK(refused.condition == "amqp:resource-limit-exceeded");
  CHECK(refused.description == "q: the queue has reached its x-max-length");
}
