// Goal: an actor that is linked to one of another node ends with it; and it can
// be found out whether an actor serves an address. Method: two or three nodes
// and the real broker in virtual time; an actor that ends when it is told to,
// one that watches it.
#include "tests/support/catch.hpp"
#include "tests/support/watched_pair.hpp"

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;
using testing::cluster;

TEST_CASE("link: the end of the remote actor ends the local one",
          "[bridge][monitor]") {
  watched_pair p;
  auto seen = p.watch(true);
  p.ask(0);
  p.c.run(5s);
  CHECK(seen->seen == std::vector<std::string>{"answer 0", down_as_it_fell});
}

TEST_CASE("link: it outlasts an exit that a living actor sends to the handle",
          "[bridge][monitor]") {
  const auto linkable = GENERATE(false, true);
  watched_pair p{{.linkable = linkable}};
  auto seen = p.watch(true);
  const auto before = p.served;
  p.tell(caf::atom("exit"));
  p.c.run(2s);
  CHECK(p.served == before);
  p.ask(0);
  p.c.run(5s);
  CHECK(seen->seen == std::vector<std::string>{"answer 0", down_as_it_fell});
}

TEST_CASE("link: the local actor takes the remote one along where it may",
          "[bridge][monitor]") {
  const auto linkable = GENERATE(false, true);
  watched_pair p{{.linkable = linkable}};
  static_cast<void>(p.watch(true));
  const auto before = p.served;
  p.client->execute([&] { fall_over(p.last); });
  p.c.run(5s);
  CHECK((p.served != before) == linkable);
  CHECK(p.watchers() == 0);
}

TEST_CASE("link: a normal end of the local actor takes nobody along",
          "[bridge][monitor]") {
  const auto linkable = GENERATE(false, true);
  watched_pair p{{.linkable = linkable}};
  static_cast<void>(p.watch(true));
  const auto before = p.served;
  SECTION("as it is said when the next second begins") {}
  SECTION("as it is said over the next connection") { p.server->cut(); }
  p.client->execute([&] { caf::anon_send(p.last, caf::exit_msg{}); });
  p.c.run(5s);
  CHECK(p.served == before);
  CHECK(p.watchers() == 0);
  CHECK(p.watches() == 0);
}

TEST_CASE("link: it can be undone, and two of the same are one",
          "[bridge][monitor]") {
  watched_pair p{{.linkable = true}};
  caf::actor linked;
  p.client->execute([&] {
    linked = p.client->system().spawn([&](caf::event_based_actor* self) {
      auto whom = p.client->proxy("q");
      self->link_to(whom);
      self->link_to(whom);
      return caf::behavior{[=](caf::unit_t) { self->unlink_from(whom); }};
    });
  });
  p.c.run(1s);
  CHECK(p.watchers() == 1);
  p.client->execute([&] { caf::anon_send(linked, caf::unit); });
  p.c.run(1s);
  CHECK(p.watchers() == 0);
  const auto before = p.served;
  p.client->execute([&] { fall_over(linked); });
  p.c.run(2s);
  CHECK(p.served == before);
}

TEST_CASE("link: an end that the other node missed is said until it knows",
          "[bridge][monitor]") {
  watched_pair p{{.linkable = true}};
  static_cast<void>(p.watch(true));
  const auto before = p.served;
  p.server->set_reachable(false);
  p.server->cut();
  p.c.run(100ms);
  p.client->execute([&] { fall_over(p.last); });
  p.c.run(3s);
  CHECK(p.served == before);
  p.server->set_reachable(true);
  p.c.run(30s);
  CHECK(p.served != before);
  CHECK(p.watches() == 0);
}

TEST_CASE("resolve: says whether an actor serves an address, in time",
          "[bridge][monitor]") {
  watched_pair p;
  p.client->execute([&] {
    p.client->network().declare(bridge::queue_declaration{.name = "idle"});
  });
  p.c.run(1s);
  const auto resolve = [&](const std::string& name) {
    std::vector<std::string> said;
    p.client->execute([&] {
      p.client->network().resolve(
          bridge::address::queue(name), 3s, [&](caf::expected<caf::actor> x) {
            said.push_back(x ? "found" : text("", x.error()));
            CHECK((!x || *x == p.client->proxy(name)));
          });
    });
    p.c.run(2900ms);
    const auto early = said.size();
    p.c.run(60s);
    CHECK(said.size() == 1);
    return (early == 1 ? "early " : "late ") + said.back();
  };
  CHECK(resolve("q") == "early found");
  CHECK(resolve("nowhere") == "early  bridge 2 no queue takes it");
  CHECK(resolve("idle").starts_with("late  bridge 5"));
  CHECK(p.watchers() == 0);
  CHECK(p.watches() == 0);
}
