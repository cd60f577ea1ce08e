// What a client does when the broker is late, or says what nobody expects.
// Method: as in client_test; deadlines pass because the client is told so.
#include "tests/link/client_world.hpp"

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using tests::make_queue;
using tests::send;
using tests::texts;
using world = tests::client_world;

TEST_CASE("client: a send without an outcome for too long ends the connection",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  send(*queue, "a");
  w.run();
  w.check_after(29s);
  CHECK(w.owner.downs.empty());
  w.check_after(31s);
  CHECK(w.owner.downs == std::vector<std::string>{"rookery:outcome-timeout"});
}

TEST_CASE("client: a broker that gives no credit owes no outcome",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  send(*queue, "a");
  w.run();
  w.cut();
  w.owner.downs.clear();
  w.broker.emplace();
  w.broker->accept = false;
  w.broker->credit = 0;
  w.connect();
  w.check_after(31s);
  CHECK(w.owner.downs.empty());
  w.broker->publishers.at("/queues/out").add_credit(1);
  w.run();
  REQUIRE(texts(*w.broker) == std::vector<std::string>{"a"});
  w.check_after(31s);
  CHECK(w.owner.downs == std::vector<std::string>{"rookery:outcome-timeout"});
}

TEST_CASE("client: a broker that cannot say what exists is asked again",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->answer["/queues/out"] = 500;
  w.connect();
  send(*queue, "a");
  w.run();
  CHECK(w.owner.outcomes.empty());
  w.broker->answer.clear();
  w.client.flush(amqp::client::clock::now() + 1s);
  w.run();
  CHECK(texts(*w.broker) == std::vector<std::string>{"a"});
}

TEST_CASE("client: a link that the broker attaches is refused, nothing else",
          "[link][client]") {
  world w;
  w.connect();
  auto theirs =
      w.wire->server().make_sender(w.wire->server().open_session(), "theirs");
  theirs.open({});
  w.run();
  CHECK(w.broker->detached == std::vector<std::string>{"theirs"});
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: a destination that has no outcomes is left alone, at last",
          "[link][client]") {
  world w;
  auto dead = make_queue();
  auto well = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("dead"), dead));
  static_cast<void>(w.client.add_sender(address::queue("well"), well));
  send(*dead, "a");
  const auto pass = [&](std::chrono::seconds time) {
    w.now += time;
    w.client.check(w.now);
    w.wire->pump();
    w.run();
  };
  const auto reconnect = [&] {
    w.broker.emplace();
    w.broker->accept = false;
    w.connect();
  };
  for (std::size_t i = 1; i <= 2; ++i) {
    reconnect();
    REQUIRE(texts(*w.broker) == std::vector<std::string>{"a"});
    pass(30s);
    REQUIRE(w.owner.downs.size() == i);
  }
  reconnect();
  send(*well, "b");
  w.run();
  CHECK(texts(*w.broker) == std::vector<std::string>{"b"});
  w.broker->accept = true;
  w.broker->messages[0].handle.settle(bridge::outcome::accepted());
  pass(29s);
  CHECK(w.broker->messages.size() == 1);
  pass(1s); // it is tried again
  CHECK(texts(*w.broker) == std::vector<std::string>{"b", "a"});
  CHECK(w.owner.downs.size() == 2);
  CHECK(w.client.unfinished_sends() == 0);
}
