// What a client declares on each connection, and what it makes of the answers.
// Method: the client on a real AMQP engine, joined in memory to a second one
// that a script drives as the broker.
#include "tests/link/client_world.hpp"

using namespace rookery;
using namespace std::chrono_literals;
using tests::source;
using world = tests::client_world;

TEST_CASE("client: declares in order, then attaches, then is up",
          "[link][client]") {
  world w;
  w.client.declare(bridge::exchange_declaration{"news"});
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.client.declare(bridge::binding_declaration{"news", "in"});
  static_cast<void>(w.client.add_receiver("in", 10, 7));
  w.connect();
  CHECK(w.owner.ups == 1);
  CHECK(w.broker->asked
        == std::vector<std::string>{"PUT /exchanges/news", "PUT /queues/in",
                                    "POST /bindings"});
  CHECK(w.broker->terms.at(source).priority == 7);
}

TEST_CASE("client: asks for everything before the first answer",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->management_silent = true;
  w.client.declare(bridge::exchange_declaration{"news"});
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.client.declare(bridge::binding_declaration{"news", "in"});
  w.connect();
  CHECK(w.broker->asked.size() == 3);
}

TEST_CASE("client: any number of declarations passes", "[link][client]") {
  world w; // more than may wait for an answer, or than the broker's credit
  for (int i = 0; i < 100; ++i)
    w.client.declare(bridge::queue_declaration{.name = std::to_string(i)});
  w.connect();
  CHECK(w.owner.ups == 1);
  CHECK(w.broker->asked.size() == 100);
}

TEST_CASE("client: what is declared again is asked for again, and once after "
          "a reconnect",
          "[link][client]") {
  world w;
  for (int i = 0; i < 3; ++i) {
    w.client.declare(bridge::exchange_declaration{"news"});
    w.client.declare(bridge::queue_declaration{.name = "in"});
  }
  w.connect();
  const std::vector<std::string> once{"PUT /exchanges/news", "PUT /queues/in"};
  CHECK(w.broker->asked == once);
  w.client.declare(bridge::queue_declaration{.name = "in"}); // gone since, say
  w.run();
  CHECK(w.broker->asked.size() == 3);
  CHECK(w.broker->asked.back() == "PUT /queues/in");
  CHECK(w.owner.ups == 2);
  w.cut();
  w.connect();
  CHECK(w.broker->asked == once);
  CHECK(w.owner.ups == 3);
}

TEST_CASE("client: a refused declaration is told and nothing is attached",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->answer["/queues/in"] = 409;
  w.client.declare(bridge::queue_declaration{.name = "in"});
  static_cast<void>(w.client.add_receiver("in", 10, {}));
  w.connect();
  CHECK(w.owner.ups == 0);
  CHECK(w.owner.refusals == std::vector<std::string>{"queue in"});
  CHECK(w.broker->consumers.empty());
}

TEST_CASE("client: a management that is silent ends the connection",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->management_silent = true;
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.connect();
  w.check_after(31s);
  CHECK(w.owner.downs == std::vector<std::string>{"rookery:answer-timeout"});
}

TEST_CASE("client: an answer that is no message ends the connection",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->management_garbled = true;
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.connect();
  CHECK(w.owner.downs == std::vector<std::string>{"amqp:decode-error"});
  // And only the connection.
  w.broker.reset();
  w.connect();
  CHECK(w.owner.ups == 1);
}

TEST_CASE("client: what was refused is declared again after a while",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->answer["/queues/in"] = 409;
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.connect();
  REQUIRE(w.owner.ups == 0);
  w.broker->answer.clear(); // an operator deleted it
  w.check_after(6s);
  CHECK(w.owner.ups == 1);
}

TEST_CASE("client: an exclusive queue that is refused ends no connection",
          "[link][client]") {
  world w;
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.connect();
  REQUIRE(w.owner.ups == 1);
  w.broker->answer["/queues/mine"] = 400;
  w.client.declare(
      bridge::queue_declaration{.name = "mine", .exclusive = true});
  w.run();
  CHECK(w.owner.refusals == std::vector<std::string>{"queue mine"});
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: its own queue may still be that of a connection that gave "
          "no answer",
          "[link][client]") {
  world w{{}, bridge::rabbitmq4(), "mine"};
  w.client.declare(
      bridge::queue_declaration{.name = "mine", .exclusive = true});
  w.broker.emplace();
  w.broker->management_silent = true;
  w.connect();
  w.cut();
  w.broker.emplace();
  w.broker->answer["/queues/mine"] = 400;
  w.connect();
  CHECK(w.owner.refusals.empty()); // it tries again
  CHECK(w.owner.downs.size() == 2);
  SECTION("until the broker lets go of it") {
    w.broker.emplace();
    w.connect();
    CHECK(w.owner.ups == 1);
  }
  SECTION("but not for ever") {
    w.now += 61s;
    w.broker.emplace();
    w.broker->answer["/queues/mine"] = 400;
    w.connect();
    CHECK(w.owner.refusals == std::vector<std::string>{"queue mine"});
  }
}

TEST_CASE("client: nor does one that another took while we were away",
          "[link][client]") {
  world w;
  w.client.declare(
      bridge::queue_declaration{.name = "mine", .exclusive = true});
  w.connect();
  REQUIRE(w.owner.ups == 1);
  w.cut();
  w.broker.emplace();
  w.broker->answer["/queues/mine"] = 400;
  w.connect();
  CHECK(w.owner.refusals == std::vector<std::string>{"queue mine"});
  CHECK(w.owner.downs.size() == 1);
}

TEST_CASE("client: what was declared late and refused stops nothing else",
          "[link][client]") {
  world w;
  auto out = tests::make_queue();
  auto late = tests::make_queue();
  auto refused = tests::make_queue();
  w.client.declare(bridge::queue_declaration{.name = "in"});
  static_cast<void>(w.client.add_receiver("in", 2, {}));
  static_cast<void>(w.client.add_sender(bridge::address::queue("out"), out));
  tests::send(*out, "a");
  w.connect();
  w.run();
  REQUIRE(tests::texts(*w.broker) == std::vector<std::string>{"a"});
  w.broker->answer["/queues/other"] = 409;
  w.client.declare(bridge::queue_declaration{.name = "other"});
  static_cast<void>(w.client.add_receiver("other", 2, {}));
  static_cast<void>(
      w.client.add_sender(bridge::address::queue("other"), refused));
  tests::send(*refused, "never");
  tests::send(*out, "b"); // on its link
  w.run();
  CHECK(w.owner.refusals == std::vector<std::string>{"queue other"});
  static_cast<void>(w.client.add_sender(bridge::address::queue("late"), late));
  tests::send(*late, "c"); // on a new one
  for (int i = 0; i < 3; ++i)
    w.run();
  CHECK(tests::texts(*w.broker) == std::vector<std::string>{"a", "b", "c"});
  CHECK(w.broker->consumers.size() == 1);
  // What is finished makes room for more.
  for (int i = 0; i < 4; ++i) {
    w.broker->deliver("/queues/in", "x");
    w.run();
    REQUIRE(w.owner.deliveries.size() == static_cast<std::size_t>(i) + 1);
    w.client.settle(w.owner.deliveries.back().first,
                    bridge::outcome::accepted());
    w.run();
  }
  w.broker->answer.clear();
  w.check_after(6s);
  w.run();
  CHECK(w.broker->consumers.size() == 2);
  CHECK(tests::texts(*w.broker).back() == "never");
}

TEST_CASE("client: a refusal hides no later one", "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->answer = {{"/queues/a", 409}, {"/queues/b", 409}};
  w.connect();
  for (const auto* name : {"a", "b"}) {
    w.client.declare(bridge::queue_declaration{.name = name});
    w.run();
  }
  CHECK(w.owner.refusals == std::vector<std::string>{"queue a", "queue b"});
}

TEST_CASE("client: of many that were refused one is told, and they alone are "
          "declared again",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->answer = {{"/queues/a", 409}, {"/queues/c", 409}};
  for (const auto* name : {"a", "b", "c"})
    w.client.declare(bridge::queue_declaration{.name = name});
  w.connect();
  CHECK(w.owner.refusals == std::vector<std::string>{"queue a"});
  w.broker->answer.clear();
  w.broker->asked.clear();
  w.check_after(6s);
  CHECK(w.broker->asked
        == std::vector<std::string>{"PUT /queues/a", "PUT /queues/c"});
  CHECK(w.owner.ups == 1);
}

TEST_CASE(
    "client: what two declared is asked for until both have taken it back",
    "[link][client]") {
  world w;
  const bridge::queue_declaration in{.name = "in"};
  w.client.declare(in);
  w.client.declare(in);
  w.connect();
  w.client.undeclare(in);
  w.cut();
  w.connect();
  CHECK(w.broker->asked == std::vector<std::string>{"PUT /queues/in"});
  w.client.undeclare(in);
  w.cut();
  w.connect();
  CHECK(w.broker->asked.empty());
  CHECK(w.owner.ups == 3);
}

TEST_CASE("client: what was taken back and declared again comes last",
          "[link][client]") {
  world w;
  for (const auto* name : {"a", "b", "c"})
    w.client.declare(bridge::queue_declaration{.name = name});
  w.client.undeclare(bridge::queue_declaration{.name = "a"});
  w.client.declare(bridge::queue_declaration{.name = "a"});
  w.connect();
  CHECK(w.broker->asked
        == std::vector<std::string>{"PUT /queues/b", "PUT /queues/c",
                                    "PUT /queues/a"});
  CHECK(w.owner.ups == 1);
}

TEST_CASE("client: comes up at once when the only one refused is taken back",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->answer["/queues/other"] = 409;
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.client.declare(bridge::queue_declaration{.name = "other"});
  static_cast<void>(w.client.add_receiver("in", 10, {}));
  w.connect();
  REQUIRE(w.owner.refusals == std::vector<std::string>{"queue other"});
  REQUIRE(w.owner.ups == 0);
  w.client.undeclare(bridge::queue_declaration{.name = "other"});
  w.run();
  CHECK(w.owner.ups == 1);
  CHECK(w.broker->consumers.size() == 1);
  w.check_after(6s);
  CHECK(w.broker->asked.size() == 2); // and not again
}

TEST_CASE("client: of two that were refused the one not taken back is declared "
          "again",
          "[link][client]") {
  world w;
  w.broker.emplace();
  w.broker->answer = {{"/queues/a", 409}, {"/queues/b", 409}};
  for (const auto* name : {"a", "b"})
    w.client.declare(bridge::queue_declaration{.name = name});
  w.connect();
  w.client.undeclare(bridge::queue_declaration{.name = "a"});
  w.run();
  CHECK(w.owner.ups == 0);
  w.broker->answer.clear();
  w.broker->asked.clear();
  w.check_after(6s);
  CHECK(w.broker->asked == std::vector<std::string>{"PUT /queues/b"});
  CHECK(w.owner.ups == 1);
}

TEST_CASE("client: a late answer for what was taken back changes nothing",
          "[link][client]") {
  const auto status = GENERATE(201, 409);
  world w;
  w.broker.emplace();
  w.broker->answer["/queues/mine"] = status;
  w.connect();
  const bridge::queue_declaration mine{
      .name = "mine", .replicated = false, .exclusive = true};
  w.client.declare(mine);
  w.client.undeclare(mine); // the question is on its way
  CHECK(w.owner.ups == 2);
  w.run();
  CHECK(w.broker->asked == std::vector<std::string>{"PUT /queues/mine"});
  CHECK(w.owner.refusals.empty());
  CHECK(w.owner.downs.empty());
  w.check_after(6s);
  CHECK(w.broker->asked.size() == 1);
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.run();
  CHECK(w.owner.ups == 3);
}

TEST_CASE("client: a late answer is not taken for that to the next declaration",
          "[link][client]") {
  const bool good = GENERATE(false, true);
  world w;
  w.broker.emplace();
  w.broker->answer = {{"/queues/a", good ? 409 : 201},
                      {"/queues/b", good ? 201 : 409}};
  w.connect();
  w.client.declare(bridge::queue_declaration{.name = "a"});
  w.client.undeclare(bridge::queue_declaration{.name = "a"});
  w.client.declare(bridge::queue_declaration{.name = "b"});
  w.run();
  REQUIRE(w.broker->asked.size() == 2);
  CHECK(w.owner.ups == (good ? 3 : 2));
  CHECK(w.owner.refusals.size() == (good ? 0 : 1));
}
