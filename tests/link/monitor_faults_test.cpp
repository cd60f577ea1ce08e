// Goal: the end of an actor is told on another node whatever fails meanwhile,
// and what is no end is not told as one. Method: two or three nodes and the
// real broker in virtual time; an actor that ends when it is told to, one that
// watches it, and one fault per case.
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"
#include "tests/support/watched_pair.hpp"

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;
using testing::cluster;

TEST_CASE("monitor: a node that dies takes its actors along",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.server->crash();
  p.c.run(14s);
  CHECK(seen->seen.empty());
  p.c.run(4s);
  CHECK(seen->seen
        == std::vector<std::string>{
            down(caf::exit_reason::remote_link_unreachable)});
  // A new incarnation heals all.
  p.server->start();
  p.c.run(1s);
  p.tell(caf::atom("monitor"));
  p.c.run(1s);
  CHECK(p.watchers() == 1);
  p.ask(0);
  p.c.run(5s);
  CHECK(seen->seen.back() == down_as_it_fell);
  CHECK(seen->downs() == 2);
}

TEST_CASE("monitor: what a node had sent before it died comes first",
          "[bridge][monitor]") {
  watched_pair p;
  p.uses_desk = true;
  auto seen = p.watch_at_desk();
  p.server->execute([&] { fall_over(p.served); });
  p.c.run(5s);
  p.tell(caf::atom("monitor"));
  p.c.run(1s);
  seen->seen.clear();
  for (std::uint64_t i = 1; i <= 400; ++i) // 40 s at the desk
    p.ask(i);
  p.c.run(1s);
  p.server->crash();
  p.c.run(18s); // now it is known to be gone
  const auto so_far = seen->seen.size();
  CHECK(seen->downs() == 0);
  p.c.run(60s);
  CHECK(seen->seen.size() > so_far + 2);
  REQUIRE(seen->downs() == 1);
  std::size_t last_told = 0;
  std::size_t down = 0;
  for (std::size_t i = 0; i < seen->seen.size(); ++i) {
    if (seen->seen[i].starts_with("told"))
      last_told = i;
    if (seen->seen[i].starts_with("down"))
      down = i;
  }
  CHECK(last_told > 0);
  CHECK(down > last_told);
}

TEST_CASE("monitor: the copy of an end that was not told stands for no other",
          "[bridge][monitor]") {
  watched_pair p;
  p.uses_desk = true;
  auto seen = p.watch_at_desk();
  p.server->execute([&] { fall_over(p.served); }); // the next one has the desk
  p.c.run(5s);
  p.tell(caf::atom("monitor"));
  p.c.run(1s);
  p.ask(0);
  REQUIRE(p.c.run_until([&] { return seen->downs() == 2; }, 5s));
  // Nobody serves it for a moment: that is told at once, and of it the copy
  // arrives.
  p.tell(caf::atom("monitor"));
  p.client->silence(testing::wire::client);
  p.c.run(50ms);
  p.client->cut();
  p.c.run(10s);
  seen->seen.clear();
  CHECK(p.watchers() == 1);
  p.ask(7);
  p.ask(0);
  p.c.run(5s);
  REQUIRE(seen->seen.size() == 5);
  CHECK(seen->seen.back() == down_as_it_fell);
}

TEST_CASE("monitor: a connection that breaks is no death",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.server->cut();
  p.c.run(30s);
  p.client->cut();
  p.c.run(30s);
  p.c.broker().crash();
  p.c.run(150s); // both wait long before they try again
  p.c.broker().start();
  p.c.run(60s);
  CHECK(seen->seen.empty());
  CHECK(p.watchers() == 1);
  p.ask(0);
  p.c.run(5s);
  CHECK(seen->downs() == 1);
}

TEST_CASE("monitor: that nobody says what became of a watch is no end",
          "[bridge][monitor]") {
  watched_pair p;
  auto forgot = 0;
  p.client->line()->forget_outcomes(testing::wire::lapse::no_outcome, 1,
                                    [&] { ++forgot; });
  auto seen = p.watch();
  p.c.run(5s);
  CHECK(forgot == 1);
  CHECK(seen->seen.empty());
  CHECK(p.watchers() == 1);
  p.ask(0);
  p.c.run(1s);
  CHECK(seen->downs() == 1);
}

TEST_CASE("monitor: a watch that has begun goes on, whatever is said of its "
          "message",
          "[bridge][monitor]") {
  watched_pair p;
  p.client->line()->forget_outcomes(testing::wire::lapse::silence, 1, [] {});
  auto seen = p.watch();
  CHECK(p.watchers() == 1);
  p.server->set_reachable(false);
  p.c.broker().crash();
  p.c.broker().start();
  // It is sent again, and there is no queue yet.
  REQUIRE(p.c.run_until(
      [&] { return p.client->network().counters().released > 0; }, 10s));
  CHECK(seen->seen.empty());
  p.server->set_reachable(true);
  p.c.run(20s);
  CHECK(seen->seen.empty());
  CHECK(p.watchers() == 1);
}

TEST_CASE("monitor: who was away when it happened is told when it is back",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.client->set_reachable(false);
  p.client->cut();
  p.c.run(1s);
  p.server->execute([&] { fall_over(p.served); });
  p.c.run(3s);
  CHECK(seen->seen.empty());
  p.client->set_reachable(true);
  p.c.run(30s);
  CHECK(seen->seen == std::vector<std::string>{down_as_it_fell});
}

TEST_CASE("monitor: who was away for so long that it was forgotten, too",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.client->set_reachable(false);
  p.client->cut();
  p.c.run(30s);
  CHECK(p.watchers() == 0);
  p.client->set_reachable(true);
  p.c.run(30s);
  CHECK(p.watchers() == 1);
  CHECK(seen->seen.empty());
  p.server->execute([&] { fall_over(p.served); });
  p.c.run(3s);
  CHECK(seen->seen == std::vector<std::string>{down_as_it_fell});
}

TEST_CASE("monitor: an end of watching that the other node missed, too",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.server->set_reachable(false);
  p.server->cut();
  p.c.run(100ms);
  p.tell(caf::atom("demonitor"));
  p.c.run(3s);
  CHECK(p.watchers() == 1);
  p.server->set_reachable(true);
  p.c.run(30s);
  CHECK(p.watchers() == 0);
  CHECK(seen->seen.empty());
}

TEST_CASE("monitor: a node that was taken for dead watches nobody twice",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.server->set_reachable(false);
  p.server->cut();
  p.c.run(30s);
  CHECK(seen->seen
        == std::vector<std::string>{
            down(caf::exit_reason::remote_link_unreachable)});
  p.tell(caf::atom("monitor")); // it waits at the broker
  p.c.run(1s);
  p.server->set_reachable(true);
  p.c.run(30s);
  CHECK(p.watchers() == 1);
  CHECK(p.watches() == 1);
  p.ask(0);
  p.c.run(3s);
  CHECK(seen->downs() == 2);
  CHECK(p.watches() == 0);
}

TEST_CASE("monitor: a node that leaves says so at once", "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.server->stop();
  p.c.run(2s);
  CHECK(seen->seen
        == std::vector<std::string>{
            down(caf::exit_reason::remote_link_unreachable)});
}

TEST_CASE("monitor: a bridge that stops ends what it watches",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch();
  p.client->execute([&] { p.client->network().stop(1s, [](std::size_t) {}); });
  p.c.run(2s);
  CHECK(seen->seen
        == std::vector<std::string>{
            down(caf::make_error(errc::closed, "the bridge has stopped"))});
}

namespace {

/// A watcher that serves the desk itself, one message at a time, each for
/// 100 ms; to the server's node the way is closed.
struct slow_desk {
  explicit slow_desk(const bridge::bridge_options& of_server)
      : p{{}, true, of_server},
        seen{p.watch_at_desk()} {
    // Only a queue that was there when it began to watch is known.
    p.server->execute(
        [&] { caf::anon_send(p.server->proxy("desk"), number(0)); });
    p.tell(caf::atom("monitor"));
    p.c.run(3s);
    seen->seen.clear();
    p.server->set_reachable(false);
    p.server->cut();
    p.c.run(100ms);
  }

  /// The server's node sends so many numbers to the desk.
  void send(std::uint64_t first, std::uint64_t last, bridge::overflow how) {
    p.server->execute([=, this] {
      auto desk = p.server->network().proxy(bridge::address::queue("desk"),
                                            {.when_full = how});
      for (auto i = first; i <= last; ++i)
        caf::anon_send(desk, number(i));
    });
    p.c.run(1s);
  }
  void fall() {
    p.server->execute([&] { fall_over(p.served); });
    p.c.run(200ms);
  }
  void open() {
    p.server->set_reachable(true);
    p.c.run(20s);
  }

  watched_pair p;
  std::shared_ptr<record> seen;
};

} // namespace

TEST_CASE("monitor: newer messages push the end of an actor out of no queue",
          "[bridge][monitor]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 8;
  slow_desk x{options};
  x.fall();
  x.send(1, 30, bridge::overflow::drop_oldest);
  x.open();
  CHECK(x.seen->downs() == 2);
}

TEST_CASE("monitor: the end of an actor comes behind what waits in a spill",
          "[bridge][monitor]") {
  temp_directory directory;
  bridge::bridge_options options;
  options.spill = *bridge::open_spill(
      {.file = directory.path() / "a.spill", .messages_in_memory_max = 4});
  slow_desk x{options};
  x.send(1, 50, bridge::overflow::spill);
  x.fall();
  x.open();
  REQUIRE(x.seen->seen.size() == 52);
  CHECK(x.seen->seen[49] == "told 50");
  CHECK(x.seen->seen[50] == down_as_it_fell);
}
