// What a client makes of destinations that are not there, or that it may not
// send to. Method: the client on a real AMQP engine, joined in memory to a
// second one that a script drives as the broker.
#include "tests/link/client_world.hpp"

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using kind = bridge::outcome::kind_type;
using tests::make_queue;
using tests::send;
using tests::texts;
using world = tests::client_world;

TEST_CASE("client: a send to a missing queue ends as released at once",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->missing.insert("/queues/out");
  w.connect();
  send(*queue, "lost");
  w.run();
  CHECK(w.owner.outcomes
        == std::vector<std::pair<std::string, kind>>{{"lost", kind::released}});
  // The connection, and with it everything else, is as before.
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: a missing exchange costs its own sends and nothing else",
          "[link][client]") {
  world w;
  auto lost = make_queue();
  auto good = make_queue();
  static_cast<void>(w.client.add_sender(address::exchange("gone", ""), lost));
  static_cast<void>(w.client.add_sender(address::queue("out"), good));
  static_cast<void>(w.client.add_receiver("in", 10, {}));
  w.broker.emplace();
  w.broker->refused.insert("/exchanges/gone");
  w.connect();
  send(*lost, "lost");
  send(*good, "good");
  w.run();
  CHECK(w.owner.outcomes
        == std::vector<std::pair<std::string, kind>>{{"lost", kind::released},
                                                     {"good", kind::accepted}});
  CHECK(w.owner.downs.empty());
  // It is tried again later, and works once it is there.
  w.broker->refused.clear();
  send(*lost, "found");
  w.client.flush(amqp::client::clock::now() + 1s);
  w.wire->pump();
  CHECK(texts(*w.broker) == std::vector<std::string>{"good", "found"});
}

TEST_CASE("client: any number of keys of an exchange shares a session",
          "[link][client]") {
  world w; // more keys than a connection may have sessions
  std::vector<std::shared_ptr<amqp::outgoing_queue>> queues;
  for (int i = 0; i < 100; ++i) {
    queues.push_back(make_queue());
    static_cast<void>(w.client.add_sender(
        address::exchange(i % 2 == 0 ? "e" : "f", std::to_string(i)),
        queues.back()));
    send(*queues.back(), std::to_string(i));
  }
  w.connect();
  for (int i = 0; i < 10; ++i)
    w.run();
  CHECK(w.broker->messages.size() == 100);
  CHECK(w.owner.downs.empty());
  CHECK(w.broker->detached.size() == 2); // one look for each exchange
}

TEST_CASE("client: that an exchange is missing is found out for all its keys",
          "[link][client]") {
  world w;
  w.broker.emplace();
  std::vector<std::shared_ptr<amqp::outgoing_queue>> queues;
  for (int i = 0; i < 5; ++i) {
    const auto key = std::to_string(i);
    w.broker->refused.insert("/exchanges/gone/" + key);
    queues.push_back(make_queue());
    static_cast<void>(
        w.client.add_sender(address::exchange("gone", key), queues.back()));
    send(*queues.back(), "lost");
  }
  w.connect();
  w.run();
  CHECK(w.owner.outcomes
        == std::vector<std::pair<std::string, kind>>{5,
                                                     {"lost", kind::released}});
  CHECK(w.broker->sessions.size() == 2); // management's and that of the one
}

TEST_CASE("client: the session that finds out exchanges may end when it is not "
          "used",
          "[link][client]") {
  world w;
  auto one = make_queue();
  auto other = make_queue();
  static_cast<void>(w.client.add_sender(address::exchange("e", ""), one));
  static_cast<void>(w.client.add_sender(address::exchange("f", ""), other));
  w.connect();
  send(*one, "a");
  w.run();
  REQUIRE(w.broker->sessions.size() == 3); // management's, this one, the rest
  w.broker->sessions[1].close({"amqp:resource-deleted", "for no reason"});
  w.run();
  send(*other, "b");
  w.run();
  CHECK(texts(*w.broker) == std::vector<std::string>{"a", "b"});
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: a queue that an operator deleted and made again",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.connect();
  send(*queue, "a");
  w.run();
  w.broker->missing.insert("/queues/out");
  w.broker->publishers.at("/queues/out").close({"amqp:resource-deleted", "q"});
  w.run();
  send(*queue, "b");
  auto later = amqp::client::clock::now() + 1s;
  w.client.flush(later);
  w.wire->pump();
  CHECK(w.owner.outcomes
        == std::vector<std::pair<std::string, kind>>{{"a", kind::accepted},
                                                     {"b", kind::released}});
  w.broker->missing.clear();
  send(*queue, "c");
  w.client.flush(later + 1s);
  w.wire->pump();
  w.client.flush(later + 1s);
  w.wire->pump();
  CHECK(texts(*w.broker) == std::vector<std::string>{"a", "c"});
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: a queue deleted between the question and the attach",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->refused.insert("/queues/out"); // found, and gone when we attach
  w.connect();
  send(*queue, "a");
  w.run();
  // The session is gone, and with it the connection; the message is not.
  REQUIRE(w.owner.downs == std::vector<std::string>{"amqp:not-found"});
  CHECK(w.owner.outcomes.empty());
  w.broker.emplace();
  w.broker->refused.insert("/queues/out");
  w.connect();
  w.run();
  CHECK(w.owner.outcomes
        == std::vector<std::pair<std::string, kind>>{{"a", kind::released}});
  CHECK(w.owner.downs.size() == 1);
  w.broker->refused.clear();
  send(*queue, "b");
  w.client.flush(amqp::client::clock::now() + 1s);
  w.run();
  CHECK(texts(*w.broker) == std::vector<std::string>{"b"});
}

// Two that attach at the same time, one of which the broker forbids: with it
// goes the session.
struct forbidden_world : world {
  explicit forbidden_world(const address& to) {
    static_cast<void>(client.add_sender(to, forbidden));
    static_cast<void>(client.add_sender(address::queue("good"), good));
    send(*forbidden, "a");
    send(*good, "b");
  }
  void connect(const std::string& path) {
    broker.emplace();
    broker->forbidden.insert(path);
    world::connect();
    run();
  }
  void try_again() {
    client.flush(now + 1s);
    run();
    run();
  }

  std::shared_ptr<amqp::outgoing_queue> forbidden = make_queue();
  std::shared_ptr<amqp::outgoing_queue> good = make_queue();
};

using outcomes = std::vector<std::pair<std::string, kind>>;

TEST_CASE("client: who may not send to a queue keeps nobody else from sending",
          "[link][client]") {
  forbidden_world w{address::queue("forbidden")};
  w.connect("/queues/forbidden");
  // Whose fault it was is not known, and neither is lost.
  REQUIRE(w.owner.downs
          == std::vector<std::string>{"amqp:unauthorized-access"});
  CHECK(w.owner.outcomes.empty());
  w.connect("/queues/forbidden");
  CHECK(texts(*w.broker) == std::vector<std::string>{"b"});
  CHECK(w.owner.outcomes
        == outcomes{{"a", kind::rejected}, {"b", kind::accepted}});
  CHECK(w.owner.reasons
        == std::vector<std::string>{"amqp:unauthorized-access: not by you"});
  CHECK(w.owner.forbidden
        == std::vector<std::string>{
            "forbidden: amqp:unauthorized-access: not by you"});
  // From now on it is asked apart, and the other one is not.
  const auto sessions = w.broker->sessions.size();
  send(*w.forbidden, "c");
  send(*w.good, "d");
  w.try_again();
  CHECK(texts(*w.broker) == std::vector<std::string>{"b", "d"});
  CHECK(w.broker->sessions.size() == sessions + 1);
  CHECK(w.owner.downs.size() == 1);
  CHECK(w.owner.forbidden.size() == 1); // that has been said
  // Until it may.
  w.broker->forbidden.clear();
  send(*w.forbidden, "e");
  w.client.flush(w.now + 2s);
  w.run();
  w.run();
  CHECK(texts(*w.broker) == std::vector<std::string>{"b", "d", "e"});
  w.cut();
  send(*w.forbidden, "f");
  w.world::connect();
  w.run();
  CHECK(w.broker->sessions.size() == 2); // management's and that of the two
}

TEST_CASE("client: an exchange that is forbidden, and a queue of its name",
          "[link][client]") {
  forbidden_world w{address::exchange("good", "")};
  w.client.declare(bridge::exchange_declaration{.name = "good"});
  w.connect("/exchanges/good");
  w.connect("/exchanges/good");
  CHECK(texts(*w.broker) == std::vector<std::string>{"b"});
  CHECK(w.owner.outcomes
        == outcomes{{"a", kind::rejected}, {"b", kind::accepted}});
}

TEST_CASE("client: a key that is forbidden is no other key of its exchange",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->forbidden.insert("/exchanges/e/a");
  auto forbidden = make_queue();
  auto good = make_queue();
  static_cast<void>(
      w.client.add_sender(address::exchange("e", "a"), forbidden));
  static_cast<void>(w.client.add_sender(address::exchange("e", "b"), good));
  send(*forbidden, "a");
  send(*good, "b");
  w.connect();
  w.run();
  CHECK(texts(*w.broker) == std::vector<std::string>{"b"});
  CHECK(w.owner.outcomes
        == outcomes{{"a", kind::rejected}, {"b", kind::accepted}});
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: answers are not lost for a link that is forbidden",
          "[link][client]") {
  forbidden_world w{address::queue("forbidden")};
  auto answers = make_queue();
  static_cast<void>(w.client.add_sender(std::nullopt, answers));
  w.broker.emplace();
  w.broker->unheard.insert(""); // so that it is attaching meanwhile
  w.broker->forbidden.insert("/queues/forbidden");
  send(*answers, "answer");
  w.world::connect();
  w.run();
  REQUIRE(w.owner.downs.size() == 1);
  CHECK(w.owner.outcomes.empty());
  w.connect("/queues/forbidden");
  CHECK(w.owner.outcomes.size() == 3);
  CHECK(w.owner.reasons.size() == 1);
  CHECK(w.broker->messages.size() == 2);
}

TEST_CASE("client: what waits in a spill waits until it may be sent",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("forbidden"), queue));
  amqp::outgoing kept{"a"};
  kept.place = 1;
  REQUIRE(bridge::accepted(queue->push(std::move(kept), 1)));
  for (int i = 0; i < 2; ++i) {
    w.broker.emplace();
    w.broker->forbidden.insert("/queues/forbidden");
    w.connect();
    w.run();
  }
  CHECK(w.owner.outcomes.empty());
  CHECK(w.owner.forbidden.size() == 1);
  w.broker->forbidden.clear();
  w.client.flush(w.now + 1s);
  w.run();
  w.run();
  CHECK(texts(*w.broker) == std::vector<std::string>{"a"});
}

TEST_CASE("client: what is forbidden is asked for less and less often",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::exchange("e", "k"), queue));
  amqp::outgoing kept{"a"};
  kept.place = 1;
  REQUIRE(bridge::accepted(queue->push(std::move(kept), 1)));
  w.broker.emplace();
  w.broker->forbidden.insert("/exchanges/e/k");
  w.connect();
  const auto pass = [&w](std::chrono::seconds time) {
    const auto before = w.broker->sessions.size();
    for (const auto end = w.now + time; w.now < end; w.now += 50ms)
      w.run();
    return w.broker->sessions.size() - before; // one for each attempt
  };
  static_cast<void>(pass(60s));
  const auto attempts = pass(60s);
  CHECK(attempts >= 12); // at least every 5 s
  CHECK(attempts <= 48);
  w.broker->forbidden.clear();
  static_cast<void>(pass(5s));
  CHECK(texts(*w.broker) == std::vector<std::string>{"a"});
}

namespace {

void spill(amqp::outgoing_queue& queue, const std::string& text,
           std::uint64_t place) {
  amqp::outgoing item{text};
  item.place = place;
  REQUIRE(bridge::accepted(queue.push(std::move(item), text.size())));
}

struct exchange_world : world {
  exchange_world() {
    static_cast<void>(client.add_sender(address::exchange("e", ""), queue));
    broker.emplace();
    broker->accept = false;
  }
  void end(std::size_t message, const bridge::outcome& with) {
    broker->messages.at(message).handle.settle(with);
    run();
  }
  std::shared_ptr<amqp::outgoing_queue> queue = make_queue();
};

} // namespace

TEST_CASE("client: what may wait goes to an exchange alone until one is taken",
          "[link][client]") {
  exchange_world w;
  for (std::uint64_t i = 1; i <= 3; ++i)
    spill(*w.queue, std::to_string(i), i);
  w.connect();
  w.run();
  REQUIRE(texts(*w.broker) == std::vector<std::string>{"1"});
  w.end(0, bridge::outcome::accepted());
  CHECK(texts(*w.broker) == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("client: what may wait goes alone behind what may not",
          "[link][client]") {
  exchange_world w;
  send(*w.queue, "a");
  send(*w.queue, "b");
  spill(*w.queue, "1", 1);
  spill(*w.queue, "2", 2);
  w.connect();
  w.run();
  REQUIRE(texts(*w.broker) == std::vector<std::string>{"a", "b"});
  w.end(0, bridge::outcome::released());
  w.end(1, bridge::outcome::released());
  REQUIRE(texts(*w.broker) == std::vector<std::string>{"a", "b", "1"});
  w.end(2, bridge::outcome::accepted());
  CHECK(texts(*w.broker) == std::vector<std::string>{"a", "b", "1", "2"});
}

TEST_CASE("client: one that nobody takes ends no other", "[link][client]") {
  exchange_world w;
  spill(*w.queue, "1", 1);
  w.connect();
  w.run();
  w.end(0, bridge::outcome::accepted());
  spill(*w.queue, "2", 2);
  send(*w.queue, "a");
  send(*w.queue, "b");
  spill(*w.queue, "3", 3);
  w.run();
  REQUIRE(w.broker->messages.size() == 5);
  w.end(1, bridge::outcome::released());
  spill(*w.queue, "4", 4);
  w.end(2, bridge::outcome::accepted());
  w.end(3, bridge::outcome::released());
  w.end(4, bridge::outcome::accepted());
  CHECK(w.owner.outcomes
        == outcomes{{"1", kind::accepted},
                    {"a", kind::accepted},
                    {"b", kind::released},
                    {"3", kind::accepted}});
  w.now += 1s;
  w.run();
  w.run();
  REQUIRE(w.broker->messages.size() == 6);
  CHECK(w.broker->messages[5].bytes == "2");
  w.end(5, bridge::outcome::accepted());
  CHECK(w.broker->messages.back().bytes == "4");
}
