// What a client promises of its sends, deliveries and credit, across
// connections. Method: the client on a real AMQP engine, joined in memory to a
// second one that a script drives as the broker.
#include "tests/link/client_world.hpp"

#include <deque>
#include <map>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::outcome;
using kind = bridge::outcome::kind_type;
using tests::make_queue;
using tests::send;
using tests::source;
using tests::texts;
using world = tests::client_world;

TEST_CASE("client: what has no outcome is sent again, in order, before new",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  for (auto text : {"a", "b", "c", "d"})
    send(*queue, text);
  w.run();
  REQUIRE(texts(*w.broker) == std::vector<std::string>{"a", "b", "c", "d"});
  // Only the second gets its outcome before the connection breaks.
  w.broker->messages[1].handle.settle(outcome::accepted());
  w.run();
  w.cut();
  send(*queue, "e");
  w.connect();
  CHECK(texts(*w.broker) == std::vector<std::string>{"a", "c", "d", "e"});
  CHECK(w.client.unfinished_sends() == 0);
  CHECK(w.owner.outcomes.size() == 5);
}

TEST_CASE("client: never sends more than the broker's credit",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->credit = 3;
  w.broker->accept = false;
  w.connect();
  for (int i = 0; i < 10; ++i)
    send(*queue, "x");
  w.run();
  CHECK(w.broker->messages.size() == 3);
  CHECK(queue->size() == 7);
}

TEST_CASE("client: each outcome reaches the owner as the broker gave it",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  const std::vector<outcome> all = {
      outcome::accepted(), outcome::rejected("amqp:not-allowed", "no"),
      outcome::released(), outcome::failure(), outcome{}};
  for (std::size_t i = 0; i < all.size(); ++i)
    send(*queue, std::to_string(i));
  w.run();
  for (std::size_t i = 0; i < all.size(); ++i)
    w.broker->messages[i].handle.settle(all[i]);
  w.run();
  std::map<std::string, std::string> seen;
  for (const auto& [text, how] : w.owner.outcomes)
    seen[text] = bridge::to_string(how);
  CHECK(seen
        == std::map<std::string, std::string>{{"0", "accepted"},
                                              {"1", "rejected"},
                                              {"2", "released"},
                                              {"3", "modified"},
                                              {"4", "none"}});
}

TEST_CASE("client: credit is the window less what is unfinished",
          "[link][client]") {
  world w;
  static_cast<void>(w.client.add_receiver("in", 4, {}));
  w.connect();
  REQUIRE(w.broker->credit_of(source) == 4);
  for (int i = 0; i < 4; ++i)
    w.broker->deliver(source, "x");
  w.run();
  REQUIRE(w.owner.deliveries.size() == 4);
  CHECK(w.broker->credit_of(source) == 0);
  for (int i = 0; i < 2; ++i)
    w.client.settle(w.owner.deliveries[static_cast<std::size_t>(i)].first,
                    outcome::accepted());
  w.run();
  CHECK(w.broker->credit_of(source) == 2);
  CHECK(w.client.unfinished_deliveries() == 2);
}

TEST_CASE("client: unfinished deliveries count on the next connection",
          "[link][client]") {
  world w;
  static_cast<void>(w.client.add_receiver("in", 4, {}));
  w.connect();
  for (int i = 0; i < 3; ++i)
    w.broker->deliver(source, "x");
  w.run();
  w.cut();
  w.connect();
  CHECK(w.broker->credit_of(source) == 1);
  // Their ends have nobody to go to, but free the window.
  for (const auto& [delivery, bytes] : w.owner.deliveries)
    w.client.settle(delivery, outcome::accepted());
  w.run();
  CHECK(w.broker->credit_of(source) == 4);
  CHECK(w.broker->outcomes.empty());
}

TEST_CASE("client: a paused receiver gives its credit back and keeps its link",
          "[link][client]") {
  world w;
  auto in = w.client.add_receiver("in", 4, {});
  w.connect();
  w.broker->deliver(source, "x");
  w.client.pause_receiver(in);
  w.run();
  w.broker->consumers.at(source).drained();
  w.run();
  CHECK(w.client.quiet());
  CHECK(w.owner.deliveries.size() == 1);
  w.client.settle(w.owner.deliveries[0].first, outcome::accepted());
  w.run();
  CHECK(w.broker->outcomes.size() == 1);
  CHECK(w.broker->credit_of(source) == 0);
}

TEST_CASE("client: works when bytes come one at a time", "[link][client]") {
  world w;
  w.how.chunk_bytes = 1;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::exchange("e", "k"), queue));
  static_cast<void>(w.client.add_receiver("in", 10, {}));
  w.connect();
  for (int i = 0; i < 20; ++i)
    send(*queue, std::to_string(i));
  w.run();
  w.broker->deliver(source, "hello");
  w.run();
  CHECK(w.broker->messages.size() == 20);
  CHECK(w.broker->messages[0].address == "/exchanges/e/k");
  CHECK(w.owner.deliveries.size() == 1);
  CHECK(w.client.unfinished_sends() == 0);
}

TEST_CASE("client: outcomes that make room let more go at once",
          "[link][client]") {
  world w{{.in_flight_max = 2}};
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.connect();
  send(*queue, "x");
  w.run(); // attaches
  for (int i = 0; i < 10; ++i)
    send(*queue, "x");
  w.run(); // flushes once
  CHECK(w.broker->messages.size() == 11);
  CHECK(w.client.sent() == 11);
}

TEST_CASE("client: bytes without an outcome are bounded", "[link][client]") {
  world w{{.in_flight_bytes_max = 10}};
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  send(*queue, std::string(20, 'x'));
  w.run();
  send(*queue, "y");
  w.run();
  REQUIRE(texts(*w.broker).size() == 1);
  w.broker->messages[0].handle.settle(outcome::accepted());
  w.run();
  CHECK(texts(*w.broker).size() == 2);
}

TEST_CASE("client: a message longer than the link takes ends as rejected",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->message_bytes_max = 4;
  w.connect();
  for (auto text : {"long one", "b"})
    send(*queue, text);
  w.run();
  CHECK(texts(*w.broker) == std::vector<std::string>{"b"});
  CHECK(w.owner.outcomes
        == std::vector<std::pair<std::string, kind>>{
            {"long one", kind::rejected}, {"b", kind::accepted}});
  CHECK(w.client.sent() == 1);
}

TEST_CASE("client: no session has more links than the broker allows",
          "[link][client]") {
  world w;
  std::vector<std::shared_ptr<amqp::outgoing_queue>> queues;
  for (int i = 0; i < 450; ++i) {
    queues.push_back(make_queue());
    static_cast<void>(
        w.client.add_sender(address::queue(std::to_string(i)), queues.back()));
    send(*queues.back(), "x");
  }
  w.connect();
  for (int i = 0; i < 10; ++i)
    w.run();
  REQUIRE(w.broker->messages.size() == 450);
  std::map<const void*, int> links; // of each session
  for (const auto& [address, link] : w.broker->publishers)
    ++links[link.session().get()];
  for (const auto& [session, count] : links)
    CHECK(count <= 200);
}

TEST_CASE("client: a destination that takes nothing keeps no other waiting",
          "[link][client]") {
  world w;
  auto stalled = make_queue();
  auto other = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("stalled"), stalled));
  static_cast<void>(w.client.add_sender(address::queue("other"), other));
  w.broker.emplace();
  w.broker->credit = 0;
  w.connect();
  for (int i = 0; i < 100; ++i)
    send(*stalled, "x");
  w.run();
  w.broker->credit = 100;
  for (int i = 0; i < 100; ++i)
    send(*other, "y");
  w.run();
  CHECK(w.broker->messages.size() == 100);
  CHECK(stalled->size() == 100);
}

TEST_CASE("client: bulk leaves room for what is urgent, and for others",
          "[link][client]") {
  world w;
  auto bulk = make_queue();
  auto other = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("bulk"), bulk));
  static_cast<void>(w.client.add_sender(address::queue("other"), other));
  w.broker.emplace();
  w.broker->credit = 10'000;
  w.connect();
  send(*bulk, "first");
  send(*other, "first");
  w.run();
  w.broker->messages.clear();
  constexpr std::size_t count = 500;
  for (std::size_t i = 0; i < count; ++i)
    send(*bulk, std::string(16 * 1024, 'x'));
  send(*other, "y");
  w.client.flush(w.now);
  CHECK(w.wire->client().write_buffer().size()
        < amqp::client::output_bytes_max + 256 * 1024);
  w.wire->pump();
  REQUIRE(w.broker->messages.size() == count + 1);
  const auto& all = w.broker->messages;
  const auto at = std::find_if(all.begin(), all.end(),
                               [](auto& x) { return x.bytes == "y"; });
  CHECK(at - all.begin() < 20); // not behind all that came before it
}

TEST_CASE("client: a receiver is attached once, however much is added",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->unheard.insert(source); // takes its time
  w.connect();
  static_cast<void>(w.client.add_receiver("in", 10, {}));
  w.run();
  w.client.declare(bridge::queue_declaration{.name = "other"});
  w.run();
  CHECK(w.broker->attaches[source] == 1);
}

TEST_CASE("client: an attach without an answer ends the connection",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->unheard.insert(source);
  static_cast<void>(w.client.add_receiver("in", 10, {}));
  w.connect();
  w.check_after(29s);
  CHECK(w.owner.downs.empty());
  w.check_after(31s);
  CHECK(w.owner.downs == std::vector<std::string>{"rookery:answer-timeout"});
}

TEST_CASE("client: a peer that goes without a word is no framing error",
          "[link][client]") {
  world w;
  w.connect();
  w.cut();
  CHECK(w.owner.downs == std::vector<std::string>{"proton:io"});
}

TEST_CASE("client: a closed receiver detaches after its last settlement",
          "[link][client]") {
  world w;
  auto in = w.client.add_receiver("in", 4, {});
  w.connect();
  w.broker->deliver(source, "x");
  w.broker->deliver(source, "y");
  w.run();
  REQUIRE(w.owner.deliveries.size() == 2);
  CHECK_FALSE(w.client.close_receiver(in));
  w.run();
  CHECK(w.broker->detached.empty());
  for (const auto& [delivery, bytes] : w.owner.deliveries)
    w.client.settle(delivery, outcome::failure());
  w.run();
  CHECK(w.broker->outcomes.size() == 2);
  CHECK(w.broker->detached.size() == 1);
  CHECK(w.owner.downs.empty());
  CHECK(w.client.close_receiver(in)); // it is forgotten
  CHECK(w.client.add_receiver("in", 4, {}) != in);
  w.run();
  CHECK(w.broker->consumers.contains(source));
  // A second settlement, or one for a link that is gone, touches nothing.
  for (const auto& [delivery, bytes] : w.owner.deliveries)
    w.client.settle(delivery, outcome::accepted());
}

TEST_CASE("client: the last of a window is granted while the rest is held",
          "[link][client]") {
  world w;
  static_cast<void>(w.client.add_receiver("in", 80, {}));
  w.connect();
  for (int i = 0; i < 80; ++i)
    w.broker->deliver(source, "x");
  w.run();
  REQUIRE(w.owner.deliveries.size() == 80);
  w.client.settle(w.owner.deliveries[0].first, outcome::accepted());
  w.run();
  CHECK(w.broker->credit_of(source) == 0);
  w.client.check(w.now);
  w.run();
  CHECK(w.broker->credit_of(source) == 1);
}

TEST_CASE("client: links that come and go take no more sessions than there are "
          "at once",
          "[link][client]") {
  auto few = bridge::rabbitmq4();
  few.links_per_session_max = 2;
  world w{{}, few};
  w.connect();
  std::deque<std::size_t> served; // the oldest first
  for (int i = 0; i < 200; ++i) {
    served.push_back(w.client.add_receiver("in", 1, {}));
    w.run();
    if (served.size() <= 3)
      continue;
    while (!w.client.close_receiver(served.front()))
      w.run();
    w.run();
    served.pop_front();
  }
  CHECK(w.owner.downs.empty());
  CHECK(w.broker->sessions.size() <= 3); // one is management's
}
