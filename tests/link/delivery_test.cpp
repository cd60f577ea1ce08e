// The contract of docs/DELIVERY.md, end to end: whoever sends is told, what is
// over is not handled, what is settled does not come again.
// Method: two nodes and the broker in virtual time.
#include "bridge/send_lost.hpp"
#include "testing/cluster.hpp"
#include "tests/support/catch.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::errc;
using bridge::send_lost;
using bridge::settle_when;
using service::v1::PostTweetRequest;
using testing::cluster;
using testing::node;

namespace {

PostTweetRequest message(std::uint64_t author) {
  PostTweetRequest result;
  result.set_author(author);
  return result;
}

/// A node that sends to the queue "q", and one that serves it when told to.
struct pair {
  explicit pair(bridge::bridge_options options = {}) : c{1} {
    c.messages<PostTweetRequest>();
    sender = &c.add_node(
        "sender",
        [this](node& self) {
          self.network().declare(bridge::queue_declaration{.name = "q"});
          told.emplace(self.actors().spawn_recorder<send_lost>());
        },
        options);
    receiver = &c.add_node("receiver");
    REQUIRE(
        c.run_until([&] { return sender->ready() && receiver->ready(); }, 1s));
  }

  /// Serves "q" from now on with actors that note what they get and then do
  /// what `end` says.
  void serve(bridge::serve_options options,
             std::function<caf::result<void>(caf::event_based_actor*)> end) {
    receiver->serve(
        "q",
        [this, end] {
          return receiver->system().spawn(
              [this, end](caf::event_based_actor* self) {
                return caf::behavior{[=, this](const PostTweetRequest& x) {
                  seen.push_back(x.author());
                  return end(self);
                }};
              });
        },
        options);
  }

  void send(const std::string& queue, std::uint64_t author,
            bridge::send_options how = {}) {
    auto to = sender->network().proxy(address::queue(queue), how);
    sender->execute(
        [=, this] { caf::send_as(told->handle(), to, message(author)); });
  }

  cluster c;
  node* sender;
  node* receiver;
  std::optional<testing::recorder<send_lost>> told;
  std::vector<std::uint64_t> seen;
};

caf::result<void> nothing(caf::event_based_actor*) { return caf::unit; }

} // namespace

TEST_CASE("delivery: the sender of what nobody can take is told, if it asked",
          "[link][delivery]") {
  pair p;
  p.send("nowhere", 1, {.tell_losses = true});
  p.send("nowhere", 2);
  p.c.run(2s);
  const auto& told = p.told->seen<send_lost>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == errc::unroutable);
  CHECK(told[0].what.get_as<PostTweetRequest>(0).author() == 1);
  CHECK(p.sender->network().counters().released == 2);
}

TEST_CASE("delivery: who asked hears nothing of what went well",
          "[link][delivery]") {
  pair p;
  p.serve({}, nothing);
  p.send("q", 1, {.tell_losses = true});
  p.send("q", 2, {.how = bridge::level::done, .tell_losses = true});
  CHECK(p.c.run_until([&] { return p.seen.size() == 2; }, 2s));
  p.c.run(300s); // no deadline is left over
  CHECK(p.told->seen<send_lost>().empty());
}

TEST_CASE("delivery: who waits until there is room loses nothing",
          "[link][delivery]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 8;
  pair p{options};
  constexpr std::uint64_t count = 100;
  std::uint64_t sent = 0;
  auto to = p.sender->network().proxy(address::queue("q"));
  // Sends four when there is room, and asks again.
  auto producer = [&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](const bridge::send_ready& x) {
      CHECK(x.to == "q");
      for (int i = 0; i < 4 && sent < count; ++i)
        self->send(to, message(++sent));
      if (sent < count)
        p.sender->network().when_ready(address::queue("q"), self);
    }};
  };
  p.sender->execute([&] {
    p.sender->network().when_ready(address::queue("q"),
                                   p.sender->actors().spawn(producer));
  });
  p.serve({.window = 4}, nothing);
  CHECK(p.c.run_until([&] { return p.seen.size() == count; }, 60s));
  CHECK(std::is_sorted(p.seen.begin(), p.seen.end()));
  CHECK(p.sender->network().counters().queue_full == 0);
}

TEST_CASE("delivery: who waits for room is let go when the bridge stops",
          "[link][delivery]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 1;
  pair p{options};
  p.sender->set_reachable(false);
  p.sender->cut();
  p.c.run(100ms);
  p.send("q", 1);
  p.c.run(100ms);
  std::vector<std::string> ready;
  p.sender->execute([&] {
    p.sender->network().when_ready(
        address::queue("q"),
        p.sender->actors().spawn([&](caf::event_based_actor*) {
          return caf::behavior{
              [&](const bridge::send_ready& x) { ready.push_back(x.to); }};
        }));
  });
  p.c.run(1s);
  CHECK(ready.empty());
  p.sender->network().stop(1s, [](std::size_t) {});
  p.c.run(2s);
  CHECK(ready == std::vector<std::string>{"q"});
}

TEST_CASE("delivery: a time to live ends at the broker too",
          "[link][delivery]") {
  pair p;
  p.send("q", 1, {.ttl = 2s});
  p.send("q", 2);
  p.c.run(3s);
  p.serve({}, nothing);
  p.c.run(2s);
  CHECK(p.seen == std::vector<std::uint64_t>{2});
}

TEST_CASE("delivery: a time to live ends while the broker is away",
          "[link][delivery]") {
  pair p;
  p.sender->set_reachable(false);
  p.sender->cut();
  p.c.run(100ms);
  p.send("q", 1, {.ttl = 2s, .tell_losses = true});
  p.send("q", 2);
  p.c.run(1900ms);
  CHECK(p.told->seen<send_lost>().empty());
  p.c.run(200ms);
  const auto& told = p.told->seen<send_lost>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == errc::expired);
  p.sender->set_reachable(true);
  p.serve({}, nothing);
  CHECK(p.c.run_until([&] { return !p.seen.empty(); }, 60s));
  CHECK(p.seen == std::vector<std::uint64_t>{2});
}

TEST_CASE("delivery: what a target holds when it ends comes again, unless it "
          "was settled in the mailbox",
          "[link][delivery]") {
  auto times_seen = [](settle_when when) {
    pair p;
    p.serve({.settle = when}, [&p](caf::event_based_actor* self) {
      if (p.seen.size() == 1)
        self->quit(caf::exit_reason::kill);
      return p.seen.size() == 1 ? self->make_response_promise()
                                : caf::result<void>{caf::unit};
    });
    p.send("q", 1);
    p.c.run(30s);
    return p.seen.size();
  };
  CHECK(times_seen(settle_when::handled) == 2);
  CHECK(times_seen(settle_when::in_mailbox) == 1);
}

TEST_CASE("delivery: poison does not come again, what is released does",
          "[link][delivery]") {
  auto times_seen = [](errc answer) {
    pair p;
    p.serve({}, [&](caf::event_based_actor*) -> caf::result<void> {
      if (p.seen.size() > 1)
        return caf::unit;
      return caf::make_error(answer);
    });
    p.send("q", 1);
    p.c.run(30s);
    return p.seen.size();
  };
  CHECK(times_seen(errc::poison) == 1);
  CHECK(times_seen(errc::released) == 2);
}

TEST_CASE("delivery: what is only fired needs no outcome and breaks nothing",
          "[link][delivery]") {
  pair p;
  p.serve({}, nothing);
  for (std::uint64_t i = 1; i <= 10; ++i)
    p.send("q", i, {.how = bridge::level::fire});
  p.send("q", 11);
  CHECK(p.c.run_until([&] { return p.seen.size() == 11; }, 2s));
  CHECK(p.sender->network().counters().accepted == 1);
  CHECK(p.sender->network().counters().reconnects == 0);
}

TEST_CASE("delivery: what is refused because too many wait is counted",
          "[link][delivery]") {
  bridge::bridge_options options;
  options.requests_max = 4;
  pair p{options};
  for (std::uint64_t i = 1; i <= 6; ++i)
    p.send("q", i, {.how = bridge::level::done, .tell_losses = true});
  p.c.run(1s);
  CHECK(p.sender->network().counters().too_many_requests == 2);
  const auto& told = p.told->seen<send_lost>();
  REQUIRE(told.size() == 2);
  CHECK(told[0].why == errc::too_many_requests);
  p.c.run(300s);
  CHECK(p.sender->network().counters().done_missing == 4);
  REQUIRE(told.size() == 6);
  CHECK(told[5].why == errc::reply_timeout);
}

TEST_CASE("delivery: an innocent message is not parked for its consumer's "
          "crashes",
          "[link][delivery]") {
  constexpr std::uint64_t crashes = 25;
  cluster c{1};
  c.messages<PostTweetRequest>();
  std::uint64_t begun = 0;
  std::uint64_t parked = 0;
  bridge::queue_declaration queue;
  queue.name = "q";
  queue.dead_letter_exchange = "dead";
  auto& sender = c.add_node("sender", [&](node& self) {
    self.network().declare(bridge::exchange_declaration{.name = "dead"});
    self.network().declare(queue);
    bridge::serve_options options;
    options.bindings = {{"dead", ""}};
    self.serve(
        "parked",
        [&] {
          return self.system().spawn([&] {
            return caf::behavior{[&](const PostTweetRequest&) { ++parked; }};
          });
        },
        options);
  });
  auto& consumer = c.add_node("consumer", [&](node& self) {
    bridge::serve_options options;
    options.queue = queue;
    options.retry.attempts_max = 3;
    self.serve(
        "q",
        [&] {
          return self.system().spawn([&](caf::event_based_actor* actor) {
            return caf::behavior{
                [&, actor](const PostTweetRequest&) -> caf::result<void> {
                  if (++begun > crashes)
                    return caf::unit;
                  return actor->make_response_promise(); // for ever
                }};
          });
        },
        options);
  });
  REQUIRE(c.run_until([&] { return sender.ready() && consumer.ready(); }, 1s));
  sender.execute([&] {
    caf::anon_send(sender.network().proxy(address::queue("q"),
                                          {.how = bridge::level::done}),
                   message(1));
  });
  for (std::uint64_t i = 1; i <= crashes; ++i) {
    REQUIRE(c.run_until([&] { return begun == i; }, 10s));
    consumer.crash();
    consumer.start();
  }
  CHECK(
      c.run_until([&] { return sender.network().counters().done == 1; }, 10s));
  c.run(10s);
  CHECK(begun == crashes + 1);
  CHECK(parked == 0);
}

TEST_CASE("delivery: options left empty are those of a handle without any",
          "[link][delivery]") {
  pair p;
  auto& network = p.sender->network();
  const auto q = address::queue("q");
  CHECK(network.proxy(q, {}) == network.proxy(q));
  CHECK(network.proxy(q, bridge::level::fire) != network.proxy(q));
}

TEST_CASE("delivery: a queue that others declared is bound all the same",
          "[link][delivery]") {
  pair p;
  p.sender->execute([&] {
    p.sender->network().declare(bridge::exchange_declaration{"news"});
  });
  p.c.run(1s);
  p.serve({.queue = {}, .bindings = {{"news", ""}}}, nothing);
  p.c.run(1s);
  p.sender->execute([&] {
    auto to = p.sender->network().proxy(address::exchange("news", ""));
    caf::anon_send(to, message(1));
  });
  CHECK(p.c.run_until([&] { return !p.seen.empty(); }, 2s));
}
