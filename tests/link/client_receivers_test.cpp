// What a client makes of queues that it is to consume and that are not there,
// or that it may not consume. Method: the client on a real AMQP engine, joined
// in memory to a second one that a script drives as the broker.
#include "tests/link/client_world.hpp"

#include <algorithm>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using tests::make_queue;
using tests::send;
using tests::texts;

namespace {

using strings = std::vector<std::string>;

const std::string not_there = "/queues/bad";

// Consumes `count` good queues and, between them, one that ends its session.
struct refusing_world : tests::client_world {
  explicit refusing_world(int count = 2) {
    for (int i = 0; i < count; ++i) {
      if (i == count / 2)
        bad = client.add_receiver("bad", 10, {});
      static_cast<void>(
          client.add_receiver("good" + std::to_string(i), 10, {}));
    }
    static_cast<void>(client.add_sender(address::queue("out"), out));
  }
  void connect(std::set<std::string> tests::scripted_broker::*which =
                   &tests::scripted_broker::refused) {
    broker.emplace();
    ((*broker).*which).insert(not_there);
    client_world::connect();
    run();
  }
  // Until it is known whose fault it was.
  void settle_down() {
    connect();
    connect();
    REQUIRE(client.up());
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    client.check(now);
    wire->pump();
    run();
  }
  [[nodiscard]] std::size_t consumers() const {
    return broker->consumers.size();
  }
  [[nodiscard]] bool attached(const std::string& queue) const {
    return broker->consumers.contains("/queues/" + queue);
  }

  std::size_t bad = 0;
  std::shared_ptr<amqp::outgoing_queue> out = make_queue();
};

} // namespace

TEST_CASE("client: a queue that is missing keeps no other from being consumed",
          "[link][client]") {
  refusing_world w;
  w.connect();
  // Whose fault it was is not known yet.
  REQUIRE(w.owner.downs == strings{"amqp:not-found"});
  w.connect();
  CHECK(w.attached("good0"));
  CHECK(w.attached("good1"));
  CHECK(w.owner.ups == 1);
  CHECK(w.owner.downs.size() == 1);
  CHECK(w.owner.unserved == strings{"bad: amqp:not-found: as the script says"});
  w.broker->deliver("/queues/good0", "a");
  send(*w.out, "b");
  w.run();
  CHECK(w.owner.deliveries.size() == 1);
  CHECK(texts(*w.broker) == strings{"b"});
}

TEST_CASE("client: who may not consume a queue is told so", "[link][client]") {
  refusing_world w;
  w.connect(&tests::scripted_broker::forbidden);
  w.connect(&tests::scripted_broker::forbidden);
  CHECK(w.client.up());
  CHECK(w.owner.unserved
        == strings{"bad: amqp:unauthorized-access: not by you"});
}

TEST_CASE("client: a queue that is refused is asked for again every 5 s, and "
          "told once",
          "[link][client]") {
  refusing_world w;
  w.settle_down();
  const auto sessions = w.broker->sessions.size();
  for (int i = 0; i < 120; ++i)
    w.pass(250ms); // 30 s
  CHECK(w.broker->sessions.size() == sessions + 6);
  CHECK(w.owner.unserved.size() == 1);
  CHECK(w.owner.downs.size() == 1);
  w.cut();
  w.connect();
  CHECK(w.client.up()); // nor does the next connection wait for it
  CHECK(w.owner.unserved.size() == 1);
}

TEST_CASE("client: a queue that was refused and is there is one like any other",
          "[link][client]") {
  refusing_world w;
  w.settle_down();
  w.broker->refused.clear();
  w.pass(5s);
  REQUIRE(w.attached("bad"));
  w.broker->deliver(not_there, "a");
  w.run();
  CHECK(w.owner.deliveries.size() == 1);
  CHECK(w.broker->credit_of(not_there) == 9);
  CHECK(w.owner.downs.size() == 1);
  // On the next connection it shares a session with the others.
  w.cut();
  w.client_world::connect();
  CHECK(w.broker->sessions.size() == 2); // and management's
  CHECK(w.consumers() == 3);
  // And when it is lost that is told again.
  w.broker->consumers.at(not_there).close({"amqp:resource-deleted", "q"});
  w.run();
  CHECK(w.owner.downs.back() == "amqp:resource-deleted");
  w.settle_down();
  CHECK(w.owner.unserved.size() == 2);
}

TEST_CASE("client: one bad queue among more than there may be sessions",
          "[link][client]") {
  refusing_world w{200};
  for (int i = 0; i < 3; ++i)
    if (!w.client.up())
      w.connect();
  CHECK(w.consumers() == 200);
  CHECK(w.broker->sessions.size() < 40);
  CHECK(w.owner.unserved.size() == 1);
  CHECK(w.client.up());
  const auto downs = w.owner.downs.size();
  w.pass(6s); // it is asked for again
  CHECK(w.client.up());
  CHECK(w.owner.downs.size() == downs);
}

TEST_CASE("client: several bad queues are found at once", "[link][client]") {
  refusing_world w;
  static_cast<void>(w.client.add_receiver("worse", 10, {}));
  for (int i = 0; i < 2; ++i) {
    w.broker.emplace();
    w.broker->refused = {not_there, "/queues/worse"};
    w.client_world::connect();
    w.run();
  }
  CHECK(w.client.up());
  CHECK(w.owner.downs.size() == 1);
  CHECK(w.owner.unserved.size() == 2);
}

TEST_CASE("client: a refused queue that is closed is asked for no more",
          "[link][client]") {
  refusing_world w;
  w.settle_down();
  CHECK(w.client.close_receiver(w.bad));
  const auto sessions = w.broker->sessions.size();
  w.pass(5s);
  CHECK(w.broker->sessions.size() == sessions);
  CHECK(w.client.up());
}

TEST_CASE("client: a refusal that ends only the link ends nothing else",
          "[link][client]") {
  refusing_world w;
  w.broker.emplace();
  w.broker->refused_alone.insert(not_there);
  w.client_world::connect();
  w.run();
  CHECK(w.client.up());
  CHECK(w.owner.downs.empty());
  CHECK(w.consumers() == 2);
  CHECK(w.owner.unserved.size() == 1);
  w.pass(5s);
  w.pass(5s);
  CHECK(w.owner.downs.empty());
  w.broker->refused_alone.clear();
  w.pass(5s);
  CHECK(w.attached("bad"));
}
