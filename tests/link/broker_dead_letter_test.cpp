// Goal: a client that knows RabbitMQ's annotations can read what became of a
// dead letter, and finds all else of the message as it was sent.
// Method: messages with and without sections in front of the properties, read
// back by Proton's own decoder; time is the test's.
#include "bridge/amqp/wire/park_note.hpp"
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

  /// What comes out when a consumer of "q" settles it so.
  proton::message end_as(const bridge::outcome& how,
                         proton::message sent = proton::message{"hello"}) {
    auto& consumer = connect().receiver("/queues/q", 1);
    out->send(encoded(sent));
    pump();
    REQUIRE(consumer.deliveries.size() == 1);
    consumer.settle_first(how);
    pump();
    REQUIRE(in->deliveries.size() == 1);
    auto result = decoded(in->deliveries[0].bytes);
    in->settle_first(bridge::outcome::accepted());
    pump();
    return result;
  }

  client_link* in = nullptr;
  client_link* out = nullptr;
};

/// An encoded map, for the annotations of an outcome.
std::string map_of(const std::map<proton::symbol, proton::value>& all) {
  proton::message carrier;
  for (const auto& [key, content] : all)
    carrier.message_annotations().put(key, content);
  return std::string{amqp::message_annotations(encoded(carrier))};
}

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

TEST_CASE("dead letter: carries the note of who parked it",
          "[broker][dead-letter]") {
  graveyard t;
  const amqp::park_note note{"rookery:poison", "it cannot be", 3, "q"};
  proton::message sent{"hello"};
  sent.id("id-1");
  sent.message_annotations().put(proton::symbol{"x-opt-mine"}, "kept");
  sent.message_annotations().put(proton::symbol{"x-opt-rookery-queue"}, "lie");
  const auto got =
      t.end_as(bridge::outcome::parked(amqp::encode(note), true), sent);
  CHECK(amqp::read_park_note(
            amqp::read_annotations(amqp::message_annotations(encoded(got))))
        == note);
  const auto& notes = got.message_annotations();
  CHECK(text(notes.get(proton::symbol{"x-opt-mine"})) == "kept");
  CHECK(text(notes.get(proton::symbol{"x-first-death-reason"})) == "rejected");
  CHECK(notes.size() == 1 + 4 + 7);
  CHECK(proton::get<std::string>(got.body()) == "hello");
  CHECK(proton::get<std::string>(got.id()) == "id-1");
  CHECK(got.delivery_count() == 1);
}

TEST_CASE("dead letter: a note is of one message alone",
          "[broker][dead-letter]") {
  graveyard t;
  auto& consumer = t.connect().receiver("/queues/q", 10);
  for (int i = 0; i < 3; ++i)
    t.out->send(encoded(proton::message{"hello"}));
  t.pump();
  REQUIRE(consumer.deliveries.size() == 3);
  const bridge::outcome bare{.kind = bridge::outcome::kind_type::modified,
                             .undeliverable_here = true};
  consumer.settle_first(bridge::outcome::parked(
      amqp::encode({"rookery:poison", "bad", 1, "q"}), true));
  consumer.settle_first(bare);
  t.pump();
  consumer.settle_first(bare); // in the memory of the first
  t.pump();
  REQUIRE(t.in->deliveries.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& bytes = t.in->deliveries[i].bytes;
    const auto all = amqp::read_annotations(amqp::message_annotations(bytes));
    CHECK(amqp::read_park_note(all).condition
          == (i == 0 ? "rookery:poison" : ""));
  }
}

TEST_CASE("dead letter: the longest note comes through",
          "[broker][dead-letter]") {
  graveyard t;
  const amqp::park_note note{"rookery:poison",
                             std::string(amqp::park_reason_bytes_max, 'x'),
                             4'000'000'000, std::string(255, 'q')};
  const auto got = t.end_as(bridge::outcome::parked(amqp::encode(note), false));
  CHECK(amqp::read_park_note(
            amqp::read_annotations(amqp::message_annotations(encoded(got))))
        == note);
  CHECK(got.delivery_count() == 0);
}

TEST_CASE("dead letter: of a note only what is called x-opt- is kept, and not "
          "what the broker says itself",
          "[broker][dead-letter]") {
  graveyard t;
  const auto map = map_of({{"x-opt-list", std::vector<proton::value>{1, "two"}},
                           {"x-other", "gone"},
                           {"mine", "gone"},
                           {"x-opt-deaths", "lie"},
                           {"x-first-death-queue", "lie"}});
  const auto got = t.end_as(bridge::outcome::parked(map, false));
  const auto& notes = got.message_annotations();
  CHECK(notes.get(proton::symbol{"x-opt-list"}).type() == proton::LIST);
  CHECK(text(notes.get(proton::symbol{"x-first-death-queue"})) == "q");
  CHECK(notes.size() == 1 + 7);
}

TEST_CASE("dead letter: a consumer that gives a message back notes nothing",
          "[broker][dead-letter]") {
  graveyard t;
  auto back = bridge::outcome::failure();
  back.annotations = std::make_shared<const std::string>(
      map_of({{"x-opt-mine", "not for long"}}));
  auto& consumer = t.connect().receiver("/queues/q", 2);
  t.out->send(encoded(proton::message{"hello"}));
  t.pump();
  consumer.settle_first(back);
  t.pump();
  REQUIRE(consumer.deliveries.size() == 1);
  CHECK(decoded(consumer.deliveries[0].bytes).message_annotations().size()
        == 1); // x-delivery-count
}

TEST_CASE("dead letter: where a queue has no place for them a parked message "
          "is gone",
          "[broker][dead-letter]") {
  broker_harness t;
  t.declare("q");
  auto& client = t.connect();
  auto& out = client.sender("/queues/q");
  auto& in = client.receiver("/queues/q", 1);
  t.pump();
  out.send_text("a");
  t.pump();
  in.settle_first(bridge::outcome::parked(amqp::encode({}), false));
  t.pump();
  CHECK(t.counts("q").undeliverable == 1);
  CHECK(t.counts("q").ready == 0);
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
