// Goal: a client that knows RabbitMQ's annotations can read what became of a
// dead letter, and finds all else of the message as it was sent.
// Method: messages with and without sections in front of the properties, read
// back by Proton's own decoder; time is the test's.
#include "tests/link/broker_harness.hpp"
#include "tests/support/catch.hpp"

#include <proton/annotation_key.hpp>
#include <proton/codec/map.hpp>
#include <proton/codec/vector.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/timestamp.hpp>

#include <map>

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;

namespace {

using entries = std::map<std::string, proton::value>;

proton::message decoded(const std::string& bytes) {
  proton::message result;
  result.decode({bytes.begin(), bytes.end()});
  return result;
}

std::string encoded(const proton::message& x) {
  auto bytes = x.encode();
  return {bytes.begin(), bytes.end()};
}

std::string text(const proton::value& x) { return proton::to_string(x); }

struct graveyard : broker_harness {
  graveyard() {
    declare("dead");
    broker::queue_options dying;
    dying.dead_letter_exchange = "";
    dying.dead_letter_key = "dead";
    dying.message_ttl = 100ms;
    declare("q", dying);
    auto& client = connect();
    in = &client.receiver("/queues/dead", 10);
    out = &client.sender("/queues/q");
    pump();
  }

  proton::message die(const std::string& bytes) {
    out->send(bytes);
    pump();
    pass(100ms);
    REQUIRE(in->deliveries.size() == 1);
    auto result = decoded(in->deliveries[0].bytes);
    in->settle_first(bridge::outcome::accepted());
    pump();
    return result;
  }

  client_link* in = nullptr;
  client_link* out = nullptr;
};

} // namespace

TEST_CASE("dead letter: tells its deaths as RabbitMQ does",
          "[broker][dead-letter]") {
  graveyard t;
  proton::message sent{"hello"};
  sent.id("id-1");
  sent.ttl(proton::duration{50});
  sent.durable(true);
  sent.priority(7);
  sent.properties().put("kept", 1);
  const auto got = t.die(encoded(sent));
  CHECK(proton::get<std::string>(got.body()) == "hello");
  CHECK(proton::get<std::string>(got.id()) == "id-1");
  CHECK(got.properties().get("kept") == proton::scalar{1});
  CHECK(got.priority() == 7);
  CHECK(got.ttl() == proton::duration{0});
  CHECK_FALSE(got.first_acquirer());
  CHECK(got.delivery_count() == 0);
  const auto& notes = got.message_annotations();
  const auto note = [&](const char* key) {
    return text(notes.get(proton::symbol{key}));
  };
  CHECK(note("x-first-death-queue") == "q");
  CHECK(note("x-first-death-reason") == "expired");
  CHECK(note("x-first-death-exchange").empty());
  CHECK(note("x-last-death-queue") == "q");
  CHECK(note("x-last-death-reason") == "expired");
  const auto deaths = proton::get<std::vector<proton::value>>(
      notes.get(proton::symbol{"x-opt-deaths"}));
  REQUIRE(deaths.size() == 1);
  entries death;
  for (const auto& [key, content] :
       proton::get<std::map<proton::symbol, proton::value>>(deaths[0]))
    death[key] = content;
  CHECK(death.size() == 8);
  CHECK(text(death["queue"]) == "q");
  CHECK(death["reason"].type() == proton::SYMBOL);
  CHECK(proton::get<std::uint64_t>(death["count"]) == 1);
  CHECK(text(death["exchange"]).empty());
  CHECK(proton::get<std::vector<std::string>>(death["routing-keys"])
        == texts{"q"});
  CHECK(proton::get<std::uint32_t>(death["ttl"]) == 50);
  CHECK(proton::get<proton::timestamp>(death["first-time"])
        == proton::get<proton::timestamp>(death["last-time"]));
}

TEST_CASE("dead letter: keeps the annotations that are not its own",
          "[broker][dead-letter]") {
  graveyard t;
  proton::message sent{"hello"};
  sent.message_annotations().put(proton::symbol{"x-opt-mine"}, "kept");
  sent.message_annotations().put(proton::symbol{"x-last-death-queue"}, "lie");
  sent.delivery_annotations().put(proton::symbol{"x-hop"}, 5);
  const auto got = t.die(encoded(sent));
  const auto& notes = got.message_annotations();
  CHECK(text(notes.get(proton::symbol{"x-opt-mine"})) == "kept");
  CHECK(text(notes.get(proton::symbol{"x-last-death-queue"})) == "q");
  CHECK(notes.size() == 8);
  CHECK(got.delivery_annotations().empty());
  CHECK(proton::get<std::string>(got.body()) == "hello");
}

TEST_CASE("dead letter: a message without a header or properties",
          "[broker][dead-letter]") {
  graveyard t;
  const auto got = t.die(std::string{"\x00\x53\x77\xa1\x02hi", 7});
  CHECK(proton::get<std::string>(got.body()) == "hi");
  CHECK(got.message_annotations().size() == 7);
  CHECK(t.counts("q").expired == 1);
  CHECK(t.counts("dead").accepted == 1);
}

TEST_CASE("dead letter: a queue that expired ends the links to it",
          "[broker][dead-letter]") {
  broker_harness t;
  broker::queue_options brief;
  brief.expires = 100ms;
  t.declare("q", brief);
  auto& out = t.connect().sender("/queues/q");
  t.shared.wake(); // as whoever declares it over the wire does
  t.pass(99ms);
  CHECK_FALSE(out.closed);
  t.pass(1ms);
  REQUIRE(out.closed);
  CHECK(out.closed->name == "amqp:resource-deleted");
}
