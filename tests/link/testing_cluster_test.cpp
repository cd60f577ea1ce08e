// Goal: the simulated cluster does what its users are told.
// Method: an actor that answers on one node, requests from another, and one
// fault per case; all in virtual time.
#include "testing/cluster.hpp"
#include "tests/support/catch.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

using namespace rookery;
using namespace service::v1;
using namespace std::chrono_literals;
using testing::cluster;
using testing::node;

namespace {

/// Answers with the author as the tweet's id.
caf::behavior echo() {
  return {[](const PostTweetRequest& x) {
    PostTweetReply result;
    result.set_tweet_id(x.author());
    return result;
  }};
}

/// A node that serves the queue "q", and one that asks it.
struct pair {
  explicit pair(std::uint64_t seed = 1) : c{seed} {
    c.messages<PostTweetRequest, PostTweetReply>();
    server = &c.add_node("server", [](node& self) {
      self.serve("q", [&self] { return self.system().spawn(echo); });
    });
    client = &c.add_node("client", [](node& self) {
      self.network().declare(bridge::queue_declaration{.name = "q"});
    });
  }

  [[nodiscard]] bool ready() { return server->ready() && client->ready(); }

  /// The answer comes while the cluster runs.
  testing::answer<PostTweetReply> start(std::uint64_t author,
                                        const std::string& queue = "q") {
    PostTweetRequest body;
    body.set_author(author);
    auto result =
        client->actors().start<PostTweetReply>(client->proxy(queue), body);
    client->execute([] {});
    return result;
  }

  /// Whether it is answered within `time`, and right.
  bool ask(std::uint64_t author, cluster::duration time) {
    auto x = start(author);
    return c.run_until([&] { return x.done(); }, time) && x.get()
           && x.get()->tweet_id() == author;
  }

  cluster c;
  node* server;
  node* client;
};

} // namespace

TEST_CASE("cluster: a request reaches the actor of another node",
          "[testing][cluster]") {
  pair p;
  CHECK(p.ask(7, 1s));
}

TEST_CASE("cluster: one seed is one run", "[testing][cluster]") {
  auto run = [](std::uint64_t seed) {
    pair p{seed};
    p.c.sometime(100ms, [&] { p.client->cut(); });
    p.c.sometime(100ms, [&] { p.server->crash(); });
    p.c.run(200ms);
    p.c.heal();
    CHECK(p.ask(1, 10s));
    return std::pair{p.c.outside().hash(), p.c.outside().events()};
  };
  CHECK(run(1) == run(1));
  CHECK(run(1) != run(2));
}

TEST_CASE("cluster: what is not done in time takes just that time",
          "[testing][cluster]") {
  pair p;
  auto before = p.c.outside().now();
  CHECK_FALSE(p.c.run_until([] { return false; }, 90s));
  CHECK(p.c.outside().now() - before == 90s);
}

TEST_CASE("cluster: a connection that is cut is made again",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.client->cut();
  auto gone = p.client->line();
  CHECK(p.ask(7, 10s));
  CHECK(p.client->line() != gone);
  CHECK_FALSE(gone->given_up());
  CHECK(p.client->network().counters().reconnects == 1);
}

TEST_CASE("cluster: a served queue that is not there disturbs no other",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->execute([&] {
    p.server->network().serve(bridge::address::queue("nowhere"),
                              [&p] { return p.server->system().spawn(echo); },
                              {.queue = {}});
  });
  p.c.run(20s);
  CHECK(p.ask(7, 1s));
  CHECK(p.server->network().counters().reconnects == 1);
  p.client->execute([&] {
    p.client->network().declare(bridge::queue_declaration{.name = "nowhere"});
  });
  p.c.run(6s);
  auto answer = p.start(8, "nowhere");
  CHECK(p.c.run_until([&] { return answer.done(); }, 1s));
  CHECK(p.server->network().counters().reconnects == 1);
}

TEST_CASE("cluster: a line that is silent is given up", "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->silence(testing::wire::client);
  const auto gone = p.server->line();
  CHECK(p.c.run_until([&] { return !p.server->ready(); }, 6s));
  CHECK(gone->given_up());
  CHECK(gone->bytes_held_back() > 0);
  CHECK(p.c.run_until([&] { return p.server->ready(); }, 10s));
}

TEST_CASE("cluster: a node that nothing answers comes back when it does",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->set_reachable(false);
  p.server->cut();
  CHECK_FALSE(p.ask(7, 30s));
  p.server->set_reachable(true);
  CHECK(p.ask(8, 60s));
}

TEST_CASE("cluster: small slices and a slow line only take longer",
          "[testing][cluster]") {
  pair p;
  for (auto* x : {p.server, p.client})
    x->set_terms({.latency_min = 1ms, .latency_max = 3ms, .slice_max = 20});
  CHECK_FALSE(p.ask(7, 1ms));
  CHECK(p.ask(8, 10s));
}

TEST_CASE("cluster: a node that crashed serves again when it starts",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->crash();
  CHECK_FALSE(p.server->up());
  auto waits = p.start(7);
  p.c.run(5s);
  CHECK_FALSE(waits.done());
  p.server->start();
  CHECK(p.server->incarnation() == 2);
  CHECK(p.c.run_until([&] { return waits.done(); }, 1s));
}

TEST_CASE("cluster: no actor outlives its process, whoever holds it",
          "[testing][cluster]") {
  pair p;
  int ticks = 0;
  auto clock = [&](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, 100ms, caf::tick_atom::value);
    return {[&ticks, self](caf::tick_atom) {
              ++ticks;
              self->delayed_send(self, 100ms, caf::tick_atom::value);
            },
            [self](const caf::actor& other) {
              self->set_default_handler([other](caf::scheduled_actor*,
                                                caf::message_view&) {
                return caf::result<caf::message>{caf::sec::unexpected_message};
              });
            }};
  };
  auto& system = p.server->system();
  {
    auto a = system.spawn(clock);
    auto b = system.spawn(clock);
    caf::anon_send(a, b);
    caf::anon_send(b, a);
  }
  p.c.run(1s);
  CHECK(ticks > 10);
  auto before = ticks;
  p.server->crash();
  p.c.run(1s);
  CHECK(ticks == before);
}

TEST_CASE("cluster: a node that is paused does nothing until it wakes",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->pause();
  auto waits = p.start(7);
  p.c.run(1s);
  CHECK_FALSE(waits.done());
  p.server->resume();
  CHECK(p.c.run_until([&] { return waits.done(); }, 1s));
}

TEST_CASE("cluster: a node that dies while it is paused does nothing more",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->pause();
  auto waits = p.start(7);
  p.c.run(1s);
  REQUIRE(p.server->deferred() > 0);
  p.server->crash();
  CHECK(p.server->deferred() == 0);
  p.c.run(1s);
  CHECK_FALSE(waits.done());
  CHECK(p.c.broker().held() == 1);
}

TEST_CASE("cluster: a broker that crashes forgets, and heal brings it back",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->crash();
  (void)p.start(7);
  REQUIRE(p.c.run_until([&] { return p.c.broker().held() == 1; }, 1s));
  p.c.broker().crash();
  p.c.run(1s);
  CHECK_FALSE(p.client->ready());
  p.c.heal();
  CHECK(p.c.broker().held() == 0);
  CHECK(p.ask(8, 10s));
}

TEST_CASE(
    "cluster: after a long outage of the broker nodes are back in seconds",
    "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.c.broker().crash();
  p.c.run(15min);
  CHECK_FALSE(p.ready());
  p.c.broker().start();
  CHECK(p.c.run_until([&] { return p.ready(); }, 10s + 100ms)); // the delay_max
  CHECK(p.ask(8, 1s));
}

TEST_CASE("cluster: heal brings back what is just stopping",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.c.broker().stop();
  p.server->stop();
  p.c.heal();
  CHECK(p.ask(8, 10s));
}

TEST_CASE("cluster: a node that fails stops in order", "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->fail("no work");
  CHECK(p.c.run_until([&] { return !p.server->up(); }, 5s));
}

TEST_CASE("cluster: what a test ends after heal stays down",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.c.heal();
  p.server->crash();
  p.c.run(10s);
  CHECK_FALSE(p.server->up());
}

TEST_CASE("cluster: a node that stops answers what it has and is gone",
          "[testing][cluster]") {
  pair p;
  REQUIRE(p.c.run_until([&] { return p.ready(); }, 1s));
  p.server->stop();
  CHECK(p.c.run_until([&] { return !p.server->up(); }, 3s));
  p.server->start_after(1s);
  CHECK(p.ask(7, 3s));
}
