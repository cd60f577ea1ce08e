// Messages that share transfers end to end: in order, once, each with an end of
// its own, whatever becomes of its neighbours.
// Method: two nodes and the broker in virtual time; one case per fault.
#include "tests/support/pack_pair.hpp"
#include "tests/support/temp_directory.hpp"

#include <algorithm>
#include <map>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::errc;
using bridge::send_lost;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using testing::node;
using tests::message;
using tests::numbers;
using tests::sorted;
using tests::up_to;
using pair = tests::pack_pair;

TEST_CASE("pack: many messages take few transfers, and come in order, once",
          "[link][pack]") {
  pair p;
  p.serve_well();
  p.c.run(1s);
  const auto before = p.transfers();
  p.send(1'000);
  p.c.run(1s);
  CHECK(p.seen == up_to(1'000));
  CHECK(p.transfers() - before <= 1'000 / 64 + 2);
  CHECK(p.sender->network().counters().accepted == 1'000);
  CHECK(p.receiver->network().counters().received == 1'000);
  CHECK(p.waiting("q") == 0);
}

TEST_CASE("pack: who has little to send does not wait for more",
          "[link][pack]") {
  pair p;
  p.serve_well();
  p.c.run(1s);
  p.send(1);
  p.c.run(50ms);
  CHECK(p.seen == up_to(1));
}

TEST_CASE("pack: no more are in the target than the window says",
          "[link][pack]") {
  pair p;
  std::vector<caf::response_promise> held;
  std::size_t most = 0;
  p.serve(
      [&](auto* self, std::uint64_t) -> caf::result<void> {
        held.push_back(self->make_response_promise());
        most = std::max(most, held.size());
        return held.back();
      },
      {.window = 10});
  p.c.run(1s);
  p.send(500);
  for (int i = 0; i < 200; ++i) {
    p.c.run(10ms);
    p.receiver->execute([&] {
      for (auto& x : std::exchange(held, {}))
        x.deliver(caf::unit);
    });
  }
  CHECK(p.seen == up_to(500));
  CHECK(most == 10);
}

TEST_CASE("pack: one may be larger than the window", "[link][pack]") {
  pair p;
  p.serve_well({.window = 1});
  p.c.run(1s);
  p.send(200);
  p.c.run(1s);
  CHECK(p.seen == up_to(200));
}

TEST_CASE("pack: one that fails goes on alone, and its neighbours are done",
          "[link][pack]") {
  pair p;
  bridge::serve_options options;
  options.retry.attempts_max = 2;
  p.serve(
      [](auto*, std::uint64_t x) -> caf::result<void> {
        if (x == 7)
          return caf::make_error(errc::failed, "seven");
        return caf::unit;
      },
      options);
  p.c.run(1s);
  p.send(20);
  p.c.run(10s);
  auto others = p.seen;
  CHECK(std::erase(others, 7) == 3); // once in the pack, and alone
  CHECK(others == [] {
    auto x = up_to(20);
    std::erase(x, 7);
    return x;
  }());
  CHECK(p.waiting("q") == 0);
  CHECK(p.waiting("parked") == 1);
}

TEST_CASE("pack: who fails for ever holds no others", "[link][pack]") {
  pair p;
  p.serve(
      [](auto*, std::uint64_t x) -> caf::result<void> {
        if (x == 7)
          return caf::make_error(errc::failed, "seven");
        return caf::unit;
      },
      {.window = 4});
  p.c.run(1s);
  p.send(300);
  p.c.run(10s);
  auto others = p.seen;
  CHECK(std::erase(others, 7) > 3);
  CHECK(others.size() == 299);
  // Its neighbours are over: nobody else gets them.
  CHECK(p.waiting("q") == 1);
  p.receiver->crash();
  p.c.run(1s);
  CHECK(p.waiting("q") == 1);
}

TEST_CASE("pack: who is never done holds no others", "[link][pack]") {
  pair p;
  std::vector<caf::response_promise> never;
  p.serve(
      [&](auto* self, std::uint64_t x) -> caf::result<void> {
        if (x != 7)
          return caf::unit;
        never.push_back(self->make_response_promise());
        return never.back();
      },
      {.window = 4});
  p.c.run(1s);
  p.send(300);
  p.c.run(10s);
  CHECK(p.seen.size() == 300);
  never.clear();
}

TEST_CASE("pack: what does not fit into its queue goes back later",
          "[link][pack]") {
  pair p{{}, 1};
  std::vector<caf::response_promise> later;
  p.serve(
      [&](auto* self, std::uint64_t x) -> caf::result<void> {
        if (x != 7 || !later.empty())
          return caf::unit;
        later.push_back(self->make_response_promise());
        return later.back();
      },
      {.window = 2});
  p.c.run(1s);
  p.send(20);
  p.c.run(1s);
  REQUIRE(p.seen.size() == 20);
  // Nobody takes what fills the queue as long as the pack is not over.
  p.fill();
  p.c.run(1s);
  CHECK(p.seen.size() == 21); // of the window of two
  p.receiver->execute(
      [&] { later.back().deliver(caf::make_error(errc::failed, "seven")); });
  p.c.run(60s);
  auto all = p.seen;
  CHECK(std::count(all.begin(), all.end(), 7) >= 2);
  CHECK(std::count(all.begin(), all.end(), 1'000) == 3);
  CHECK(p.waiting("q") == 0);
  later.clear();
}

TEST_CASE("pack: a broken connection with one on its way back costs no credit",
          "[link][pack]") {
  pair p{{}, 1};
  std::map<std::uint64_t, caf::response_promise> held;
  p.serve(
      [&](auto* self, std::uint64_t x) -> caf::result<void> {
        if (x != 7 && x != 8)
          return caf::unit;
        return held[x] = self->make_response_promise();
      },
      {.window = 1});
  const auto end = [&](std::uint64_t x, const caf::error& how) {
    p.receiver->execute([&] {
      if (how)
        held[x].deliver(how);
      else
        held[x].deliver(caf::unit);
    });
    p.c.run(100ms);
  };
  p.c.run(1s);
  for (int i = 0; i < 5; ++i) {
    p.send(20);
    p.c.run(100ms);
    p.fill();
    REQUIRE(p.waiting("q") == 3);
    end(7, caf::make_error(errc::failed, "seven"));
    REQUIRE(p.waiting("q") == 3); // it found no room
    p.receiver->cut();
    p.c.run(5s);
    end(8, {});
    end(7, {});
    p.c.run(1s);
    end(8, {});
    p.c.run(30s);
    REQUIRE(p.waiting("q") == 0);
  }
}

TEST_CASE("pack: what goes nowhere is told of each", "[link][pack]") {
  pair p;
  p.send(100, {.tell_losses = true}, "nowhere");
  p.c.run(2s);
  const auto& told = p.told->seen<send_lost>();
  REQUIRE(told.size() == 100);
  for (const auto& x : told)
    CHECK(x.why == errc::unroutable);
}

TEST_CASE("pack: a connection that breaks costs nothing and doubles nothing",
          "[link][pack]") {
  pair p;
  p.serve_well();
  p.c.run(1s);
  for (int i = 0; i < 20; ++i)
    p.c.sometime(2s, [&p, i] { (i % 2 == 0 ? p.sender : p.receiver)->cut(); });
  for (int i = 0; i < 20; ++i)
    p.c.sometime(2s, [&p] { p.send(200); });
  p.c.run(30s);
  numbers all;
  for (int i = 0; i < 20; ++i)
    for (auto x : up_to(200))
      all.push_back(x);
  CHECK(sorted(p.seen) == sorted(all));
  CHECK(p.waiting("q") == 0);
}

TEST_CASE("pack: a node that stops leaves to others what it has not begun",
          "[link][pack]") {
  pair p;
  p.serve([](auto*, std::uint64_t x) -> caf::result<void> {
    if (x > 10)
      return caf::make_error(errc::failed, "not here");
    return caf::unit;
  });
  p.c.run(1s);
  p.send(20);
  p.c.run(100ms);
  p.receiver->stop();
  p.c.run(5s);
  p.seen.clear();
  p.receiver->start();
  p.serve_well();
  p.c.run(2s);
  auto rest = up_to(20);
  rest.erase(rest.begin(), rest.begin() + 10);
  CHECK(sorted(p.seen) == rest);
}

TEST_CASE("pack: what a node that stops had begun it finishes, and the rest "
          "comes in its place",
          "[link][pack]") {
  pair p;
  std::vector<caf::response_promise> held;
  const auto hold = [&](auto* self, std::uint64_t) -> caf::result<void> {
    held.push_back(self->make_response_promise());
    return held.back();
  };
  const auto answer_for = [&](std::chrono::milliseconds time) {
    for (auto left = time; left > 0ms; left -= 10ms) {
      p.c.run(10ms);
      p.receiver->execute([&] {
        for (auto& x : std::exchange(held, {}))
          x.deliver(caf::unit);
      });
    }
  };
  p.serve(hold, {.window = 10});
  p.c.run(1s);
  p.send(500);
  answer_for(50ms);
  const auto begun = p.seen.size();
  p.receiver->stop();
  answer_for(3s);
  CHECK(p.seen.size() > begun);
  CHECK(p.seen.size() < 200);
  p.receiver->start();
  p.serve_well();
  p.c.run(2s);
  CHECK(p.seen == up_to(500));
}

TEST_CASE(
    "pack: what has a time to live, or is settled, is not mixed with others",
    "[link][pack]") {
  pair p;
  p.serve_well();
  p.c.run(1s);
  const auto before = p.transfers();
  p.send(10, {.ttl = 5s});
  p.c.run(1s);
  CHECK(p.transfers() - before == 10);
  p.send(10, {.how = bridge::level::fire});
  p.send(10);
  p.c.run(1s);
  CHECK(p.transfers() - before == 12);
  CHECK(p.seen.size() == 30);
}

TEST_CASE("pack: may be longer than a message", "[link][pack]") {
  pair p;
  p.restart_receiver([](auto& x) { x.message_bytes_max = 5'000; });
  p.serve_well();
  p.c.run(1s);
  p.sender->execute([&] {
    auto to = p.sender->network().proxy(address::queue("q"), {.pack = true});
    for (std::uint64_t i = 1; i <= 20; ++i) {
      auto x = message(i);
      x.set_text(std::string(i == 7 ? 10'000 : 1'000, 'x'));
      caf::anon_send(to, x);
    }
  });
  p.c.run(2s);
  CHECK(p.seen.size() == 19);
  CHECK(p.waiting("parked") == 1);
  CHECK(p.receiver->network().counters().reconnects == 0);
}

TEST_CASE("pack: from the spill, too", "[link][pack]") {
  ::temp_directory directory;
  bridge::bridge_options options;
  options.send_queue.messages_max = 100;
  pair p{options};
  p.sender->crash();
  p.sender->on_open = [&](bridge::bridge_options& x) {
    auto file = bridge::open_spill(
        {.file = directory.path() / "spill", .messages_in_memory_max = 50});
    REQUIRE(file);
    x.spill = *file;
  };
  p.sender->start();
  p.serve_well();
  p.c.run(1s);
  const auto before = p.transfers();
  p.send(2'000, {.when_full = bridge::overflow::spill});
  p.c.run(10s);
  CHECK(p.seen == up_to(2'000));
  CHECK(p.transfers() - before < 200);
}

TEST_CASE("pack: time to live passes also behind a pack", "[link][pack]") {
  pair p;
  std::vector<caf::response_promise> held;
  p.serve(
      [&](caf::event_based_actor* self, std::uint64_t) -> caf::result<void> {
        held.push_back(self->make_response_promise());
        return held.back();
      },
      {.window = 2});
  p.c.run(1s);
  p.send(4); // two wait at the node, and what comes next behind them
  p.send(1, {.ttl = 1s});
  for (int i = 0; i < 4; ++i) {
    p.c.run(2s);
    p.receiver->execute([&] {
      for (auto& x : std::exchange(held, {}))
        x.deliver(caf::unit);
    });
  }
  CHECK(p.seen == up_to(4));
  CHECK(p.receiver->network().counters().deliveries_expired == 1);
  CHECK(p.waiting("parked") == 1);
}
