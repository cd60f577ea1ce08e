// Messages that share transfers end to end: in order, once, each with an end of
// its own, whatever becomes of its neighbours.
// Method: two nodes and the broker in virtual time; one case per fault.
#include "bridge/send_lost.hpp"
#include "testing/cluster.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <algorithm>
#include <map>
#include <numeric>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::errc;
using bridge::send_lost;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using testing::cluster;
using testing::node;

namespace {

using numbers = std::vector<std::uint64_t>;

PostTweetRequest message(std::uint64_t x) {
  PostTweetRequest result;
  result.set_author(x);
  return result;
}

numbers up_to(std::uint64_t last) {
  numbers result(last);
  std::iota(result.begin(), result.end(), 1);
  return result;
}

numbers sorted(numbers x) {
  std::sort(x.begin(), x.end());
  return x;
}

/// A node that sends packs to the queue "q", and one that serves it. What it
/// gives up on is parked in "parked".
struct pair {
  explicit pair(bridge::bridge_options options = {},
                std::optional<std::uint64_t> length_max = {})
      : c{1} {
    c.messages<PostTweetRequest, PostTweetReply>();
    sender = &c.add_node(
        "sender",
        [this, length_max](node& self) {
          bridge::queue_declaration queue{.name = "q"};
          queue.length_max = length_max;
          queue.dead_letter_exchange = "";
          queue.dead_letter_key = "parked";
          self.network().declare(queue);
          self.network().declare(bridge::queue_declaration{.name = "parked"});
          told.emplace(self.actors().spawn_recorder<send_lost>());
        },
        options);
    receiver = &c.add_node("receiver");
    REQUIRE(
        c.run_until([&] { return sender->ready() && receiver->ready(); }, 1s));
  }

  void restart_receiver(std::function<void(bridge::bridge_options&)> with) {
    receiver->crash();
    receiver->on_open = std::move(with);
    receiver->start();
  }

  /// Serves "q" from now on: notes each number, and then does what `end` says.
  void
  serve(std::function<caf::result<void>(caf::event_based_actor*, std::uint64_t)>
            end,
        bridge::serve_options options = {}) {
    options.queue.reset();
    receiver->serve(
        "q",
        [this, end] {
          return receiver->system().spawn(
              [this, end](caf::event_based_actor* self) {
                return caf::behavior{[=, this](const PostTweetRequest& x) {
                  seen.push_back(x.author());
                  return end(self, x.author());
                }};
              });
        },
        options);
  }
  void serve_well(bridge::serve_options options = {}) {
    serve([](auto*, auto) { return caf::unit; }, std::move(options));
  }

  /// Sends 1 to `count` at once.
  void send(std::uint64_t count, bridge::send_options how = {},
            const std::string& queue = "q") {
    how.pack = true;
    sender->execute([=, this] {
      auto to = sender->network().proxy(address::queue(queue), how);
      for (std::uint64_t i = 1; i <= count; ++i)
        caf::send_as(told->handle(), to, message(i));
    });
  }

  /// The queue has no room any more, where it is one of `length_max`.
  void fill() {
    for (int i = 0; i < 4; ++i) {
      sender->execute([this] {
        caf::anon_send(sender->network().proxy(address::queue("q")),
                       message(1'000));
      });
      c.run(20ms);
    }
  }

  [[nodiscard]] std::uint64_t transfers() {
    return c.broker().inside()->counters.messages_in;
  }
  [[nodiscard]] std::size_t waiting(const std::string& queue) {
    const auto* x = c.broker().inside()->host.find_queue(queue);
    return x == nullptr ? 0 : x->counts().ready + x->counts().unsettled;
  }

  cluster c;
  node* sender;
  node* receiver;
  std::optional<testing::recorder<send_lost>> told;
  numbers seen;
};

} // namespace

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
      {.window = 1});
  p.c.run(1s);
  p.send(20);
  p.c.run(1s);
  REQUIRE(p.seen.size() == 20);
  // Nobody takes what fills the queue as long as the pack is not over.
  p.fill();
  p.c.run(1s);
  CHECK(p.seen.size() == 20);
  p.receiver->execute(
      [&] { later.back().deliver(caf::make_error(errc::failed, "seven")); });
  p.c.run(60s);
  auto all = p.seen;
  CHECK(std::count(all.begin(), all.end(), 7) >= 2);
  CHECK(std::count(all.begin(), all.end(), 1'000) == 2);
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

TEST_CASE("pack: each request has its answer, and they share transfers, too",
          "[link][pack]") {
  pair p;
  bridge::serve_options options;
  options.queue.reset();
  auto make = [&] {
    return p.receiver->system().spawn([](caf::event_based_actor*) {
      return caf::behavior{
          [](const PostTweetRequest& x) -> caf::result<PostTweetReply> {
            if (x.author() % 2 == 0)
              return caf::make_error(errc::failed, "even");
            PostTweetReply result;
            result.set_tweet_id(x.author());
            return result;
          }};
    });
  };
  p.receiver->serve("q", make, options);
  p.c.run(1s);
  const auto before = p.transfers();
  numbers answers;
  std::size_t errors = 0;
  p.sender->execute([&] {
    p.sender->system().spawn([&](caf::event_based_actor* self) {
      auto to = p.sender->network().proxy(address::queue("q"), {.pack = true});
      for (auto i : up_to(10))
        self->request(to, 5s, message(i))
            .then(
                [&](const PostTweetReply& x) {
                  answers.push_back(x.tweet_id());
                },
                [&](const caf::error&) { ++errors; });
    });
  });
  p.c.run(1s);
  CHECK(answers == numbers{1, 3, 5, 7, 9});
  CHECK(errors == 5);
  CHECK(p.transfers() - before == 1 + 1);
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

TEST_CASE("pack: level done is told of each", "[link][pack]") {
  pair p;
  p.serve([](auto*, std::uint64_t x) -> caf::result<void> {
    if (x == 3)
      return caf::make_error(errc::failed, "three");
    return caf::unit;
  });
  p.c.run(1s);
  p.send(5, {.how = bridge::level::done, .tell_losses = true});
  p.c.run(2s);
  CHECK(p.sender->network().counters().done == 4);
  REQUIRE(p.told->seen<send_lost>().size() == 1);
  CHECK(p.told->seen<send_lost>()[0].why == errc::failed);
}

TEST_CASE("pack: more is taken in only as answers leave", "[link][pack]") {
  pair p;
  p.restart_receiver([](auto& x) {
    x.send_queue.messages_max = 20;
    x.in_flight_max = 10;
  });
  p.serve_well({.window = 64});
  p.c.run(1s);
  p.send(5'000, {.how = bridge::level::done});
  p.c.run(20s);
  CHECK(p.receiver->network().counters().queue_full == 0);
  CHECK(p.sender->network().counters().done == 5'000);
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

TEST_CASE("pack: answers go to who asked", "[link][pack]") {
  pair p;
  auto& other = p.c.add_node("other");
  p.serve_well();
  p.c.run(1s);
  for (auto* each : {p.sender, &other, p.sender, &other})
    each->execute([&] {
      auto to = each->network().proxy(
          address::queue("q"), {.how = bridge::level::done, .pack = true});
      for (std::uint64_t i = 1; i <= 200; ++i)
        caf::anon_send(to, message(i));
    });
  p.c.run(5s);
  for (auto* each : {p.sender, &other})
    CHECK(each->network().counters().done == 400);
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
