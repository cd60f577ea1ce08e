// Goal: the end of an actor on one node is told on another: once, with its
// reason, and behind everything it said. Method: two or three nodes and the
// real broker in virtual time; an actor that ends when it is told to, one that
// watches it.
#include "tests/support/catch.hpp"
#include "tests/support/watched_pair.hpp"

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;
using testing::cluster;

TEST_CASE("monitor: the end of a remote actor comes once, with its reason",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  CHECK(p.watchers() == 1);
  p.ask(7);
  p.ask(0);
  p.c.run(60s);
  CHECK(seen->seen
        == std::vector<std::string>{"answer 7", "answer 0", down_as_it_fell});
  CHECK(p.watchers() == 0);
  CHECK(p.watches() == 0);
}

TEST_CASE("monitor: the end is told as soon as it is known",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  for (std::size_t i = 1; i <= 5; ++i) {
    p.server->execute([&] { fall_over(p.served); });
    p.c.run(20ms);
    CHECK(seen->downs() == i);
    p.c.run(1s + 7ms); // not always at the same time between two ticks
    p.tell(caf::atom("monitor"));
    p.c.run(1s);
  }
}

TEST_CASE("monitor: an actor that ends normally is told as such",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.server->execute(
      [&] { caf::anon_send_exit(p.served, caf::exit_reason::user_shutdown); });
  p.c.run(5s);
  CHECK(seen->seen
        == std::vector<std::string>{down(caf::exit_reason::user_shutdown)});
}

TEST_CASE("monitor: it can be asked again for the next actor",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.ask(0);
  p.c.run(5s);
  p.tell(caf::atom("monitor"));
  p.c.run(1s);
  CHECK(seen->downs() == 1);
  p.ask(0);
  p.c.run(5s);
  CHECK(seen->downs() == 2);
}

TEST_CASE("monitor: who monitors twice is told twice", "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.tell(caf::atom("monitor"));
  p.c.run(1s);
  CHECK(p.watchers() == 2);
  p.ask(0);
  p.c.run(5s);
  CHECK(seen->downs() == 2);
}

TEST_CASE("monitor: what is gone already is told at once, with its reason",
          "[bridge][monitor]") {
  watched_pair p;
  // Between two actors: the backoff before the next is longer each time.
  for (int i = 0; i < 8; ++i) {
    p.server->execute([&] { fall_over(p.served); });
    p.c.run(50ms);
  }
  REQUIRE(p.watchers() == 0);
  auto seen = p.watch();
  CHECK(seen->seen == std::vector<std::string>{down_as_it_fell});
}

TEST_CASE("monitor: when nobody makes another, nobody says so",
          "[bridge][monitor]") {
  watched_pair p{{}, false};
  p.server->execute([&] { fall_over(p.served); });
  p.c.run(1s);
  auto seen = p.watch();
  p.c.run(118s);
  CHECK(seen->seen.empty());
  p.c.run(3s);
  CHECK(seen->downs() == 1);
}

TEST_CASE("monitor: an address that leads nowhere is told at once",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = std::make_shared<record>();
  p.client->execute([&] {
    p.last = p.client->system().spawn(watcher, p.client->proxy("nowhere"), seen,
                                      false);
  });
  p.c.run(1s);
  CHECK(seen->seen
        == std::vector<std::string>{
            down(caf::make_error(errc::unroutable, "no queue takes it"))});
}

TEST_CASE("monitor: a queue that nobody serves is told after reply_timeout",
          "[bridge][monitor]") {
  watched_pair p;
  p.client->execute(
      [&] { p.client->network().declare(bridge::queue_declaration{"idle"}); });
  auto seen = std::make_shared<record>();
  p.c.run(1s);
  p.client->execute([&] {
    p.last =
        p.client->system().spawn(watcher, p.client->proxy("idle"), seen, false);
  });
  p.c.run(119s);
  CHECK(seen->seen.empty());
  p.c.run(2s);
  REQUIRE(seen->downs() == 1);
  CHECK(seen->seen[0].starts_with("down bridge 5"));
  CHECK(p.watches() == 0);
}

TEST_CASE("monitor: the end never overtakes what the actor sent before",
          "[bridge][monitor]") {
  watched_pair p;
  p.uses_desk = true;
  auto seen = p.watch_at_desk();
  // Made anew, so that it knows the desk.
  p.server->execute([&] { fall_over(p.served); });
  p.c.run(5s);
  REQUIRE(seen->downs() == 1);
  seen->seen.clear();
  // Monitored again, by one whose messages come over the desk.
  p.tell(caf::atom("monitor"));
  p.c.run(1s);
  for (std::uint64_t i = 1; i <= 50; ++i)
    p.ask(i);
  p.ask(0);
  p.c.run(60s);
  REQUIRE(seen->seen.size() == 103);
  CHECK(seen->seen.back() == down_as_it_fell);
}

TEST_CASE("monitor: who demonitors hears nothing, and is forgotten",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.tell(caf::atom("demonitor"));
  p.c.run(1s);
  CHECK(p.watchers() == 0);
  CHECK(p.watches() == 0);
  p.ask(0);
  p.c.run(60s);
  CHECK(seen->downs() == 0);
}

TEST_CASE("monitor: a watcher that ends, or whose node dies, is forgotten",
          "[bridge][monitor]") {
  watched_pair p;
  static_cast<void>(p.watch());
  p.client->execute([&] {
    caf::anon_send_exit(p.last, caf::exit_reason::kill);
    p.last = nullptr;
  });
  p.c.run(3s);
  CHECK(p.watchers() == 0);
  static_cast<void>(p.watch());
  CHECK(p.watchers() == 1);
  p.last = nullptr;
  p.client->crash();
  p.c.run(20s);
  CHECK(p.watchers() == 0);
}

TEST_CASE("monitor: many that end at once are all told, though a queue is full",
          "[bridge][monitor]") {
  bridge::bridge_options narrow;
  narrow.send_queue.messages_max = 1;
  watched_pair p{{}, true, narrow};
  std::vector<std::shared_ptr<record>> all;
  std::vector<caf::actor> watchers;
  for (int i = 0; i < 20; ++i) {
    all.push_back(p.watch());
    watchers.push_back(p.last);
  }
  CHECK(p.watchers() == 20);
  p.server->execute([&] { fall_over(p.served); });
  p.c.run(5s);
  for (const auto& x : all)
    CHECK(x->seen == std::vector<std::string>{down_as_it_fell});
}

TEST_CASE("monitor: a copy that comes to another consumer is sent on",
          "[bridge][monitor]") {
  watched_pair p;
  p.uses_desk = true;
  auto seen = std::make_shared<record>();
  auto elsewhere = std::make_shared<record>();
  auto& third = p.c.add_node("third", [&](node& self) {
    self.serve("desk", [&] {
      return self.system().spawn(watcher, self.proxy("idle"), elsewhere, false);
    });
  });
  REQUIRE(p.c.run_until([&] { return third.ready(); }, 10s));
  p.client->execute([&] {
    p.last =
        p.client->system().spawn(watcher, p.client->proxy("q"), seen, false);
    p.client->network().serve(bridge::address::queue("desk"), p.last);
  });
  p.c.run(2s);
  for (int i = 0; i < 10; ++i) { // the desk is asked by turns
    p.server->execute([&] { fall_over(p.served); });
    p.c.run(3s);
    CHECK(seen->downs() == static_cast<std::size_t>(i) + 1);
    p.tell(caf::atom("monitor"));
    p.c.run(1s);
    p.ask(7);
    p.c.run(500ms);
  }
}

TEST_CASE("monitor: a forged copy is sent on once, not for ever",
          "[bridge][monitor]") {
  watched_pair p;
  bridge::v1::Down forged;
  forged.set_watch(1);
  forged.set_copy(1);
  forged.set_watcher("/queues/q");
  p.client->execute([&] {
    p.client->system().spawn([&](caf::event_based_actor* self) {
      self->request(p.client->proxy("q"), 1s, forged).then([] {});
    });
  });
  p.c.run(1s);
  const auto before = p.server->network().counters().received;
  p.c.run(10s);
  CHECK(p.server->network().counters().received == before);
  CHECK(before <= 2);
}

TEST_CASE("monitor: one too many is told at once", "[bridge][monitor]") {
  cluster c{1};
  c.messages<PostTweetRequest, PostTweetReply>();
  auto& lonely =
      c.add_node("lonely",
                 [](node& self) {
                   self.serve("q", [&self] {
                     return self.system().spawn(mortal, caf::actor{});
                   });
                 },
                 {.watches_max = 1});
  REQUIRE(c.run_until([&] { return lonely.ready(); }, 10s));
  auto first = std::make_shared<record>();
  auto second = std::make_shared<record>();
  caf::actor one;
  caf::actor two;
  lonely.execute([&] {
    one = lonely.system().spawn(watcher, lonely.proxy("q"), first, false);
  });
  c.run(1s);
  lonely.execute([&] {
    two = lonely.system().spawn(watcher, lonely.proxy("q"), second, false);
  });
  c.run(1s);
  CHECK(first->seen.empty());
  REQUIRE(second->seen.size() == 1);
  CHECK(second->seen[0].starts_with("down bridge 6"));
}
