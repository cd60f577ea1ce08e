// An address whose target has ended for good, and what is served there next.
// Method: two nodes and the broker in virtual time.
#include "tests/support/pack_pair.hpp"

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::settle_when;
using service::v1::PostTweetRequest;
using promises = std::vector<caf::response_promise>;
using tests::numbers;
using tests::up_to;
using pair = tests::pack_pair;

namespace {

/// Serves "q" with an actor that ends behind the next message.
void serve_one(pair& p, bridge::serve_options options) {
  options.queue.reset();
  p.receiver->execute([&p, options] {
    auto once = p.receiver->system().spawn(
        [&p](caf::event_based_actor* self) -> caf::behavior {
          return {[&p, self](const PostTweetRequest& x) {
            p.seen.push_back(x.author());
            self->quit();
          }};
        });
    p.receiver->network().serve(address::queue("q"), once, options);
  });
}

/// Each in a transfer of its own.
void send_alone(pair& p, const std::string& queue, std::uint64_t count,
                bridge::send_options how = {}) {
  p.sender->execute([&] {
    auto to = p.sender->network().proxy(address::queue(queue), how);
    for (std::uint64_t i = 1; i <= count; ++i)
      caf::send_as(p.told->handle(), to, tests::message(i));
  });
}

caf::actor serve_held(pair& p, const std::string& queue, promises& held) {
  caf::actor result;
  p.receiver->execute([&] {
    result = p.receiver->system().spawn([&held](caf::event_based_actor* self) {
      return caf::behavior{
          [&held, self](const PostTweetRequest&) -> caf::result<void> {
            held.push_back(self->make_response_promise());
            return held.back();
          }};
    });
    p.receiver->network().serve(address::queue(queue), result,
                                {.window = 30, .queue = {}});
  });
  return result;
}

void answer(pair& p, promises& held) {
  p.receiver->execute([&] {
    for (auto& x : held)
      x.deliver(caf::unit);
  });
}

std::size_t consumers(pair& p, const std::string& queue) {
  return p.c.broker().inside()->host.find_queue(queue)->counts().consumers;
}

/// Serves "s" at `at`, with a queue that goes with its last consumer.
caf::actor serve_own(tests::node& at,
                     std::optional<std::uint64_t> length_max = {}) {
  caf::actor result;
  at.execute([&] {
    result = at.system().spawn([](caf::event_based_actor*) {
      return caf::behavior{[](const PostTweetRequest&) {}};
    });
    bridge::queue_declaration queue;
    queue.replicated = false;
    queue.auto_delete = true;
    queue.length_max = length_max;
    at.network().declare(bridge::exchange_declaration{"news"});
    at.network().serve(
        address::queue("s"), result,
        {.window = 4, .queue = queue, .bindings = {{"news", ""}}});
  });
  return result;
}

bool has_s(pair& p) {
  return p.c.broker().inside()->host.find_queue("s") != nullptr;
}

/// The receiver serves "s" until its target has ended, and has forgotten it.
void serve_own_and_end(pair& p) {
  const auto ends = serve_own(*p.receiver);
  REQUIRE(p.c.run_until([&] { return has_s(p) && p.receiver->ready(); }, 5s));
  p.receiver->execute(
      [&] { caf::anon_send_exit(ends, caf::exit_reason::user_shutdown); });
  REQUIRE(p.c.run_until([&] { return !has_s(p); }, 5s));
  p.c.run(500ms); // the answer to the detach
}

/// Whether the receiver is up again soon when its connection breaks.
bool comes_back(pair& p) {
  p.receiver->cut();
  return p.c.run_until(
      [&] {
        return p.receiver->network().counters().reconnects == 1
               && p.receiver->ready();
      },
      5s);
}

} // namespace

TEST_CASE("served again: each target in turn gets what comes",
          "[link][served_address]") {
  const auto when = GENERATE(settle_when::handled, settle_when::in_mailbox);
  const bool packs = GENERATE(false, true);
  pair p;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    serve_one(p, {.window = 4, .settle = when});
    p.sender->execute([&] {
      auto to = p.sender->network().proxy(address::queue("q"), {.pack = packs});
      caf::send_as(p.told->handle(), to, tests::message(i));
    });
    REQUIRE(p.c.run_until([&] { return p.seen.size() == i; }, 5s));
    REQUIRE(p.c.run_until([&] { return consumers(p, "q") == 0; }, 5s));
  }
  CHECK(p.seen == up_to(20));
  CHECK(p.sender->network().counters().accepted == 20);
  CHECK(p.waiting("q") == 0);
  CHECK(p.receiver->network().counters().reconnects == 0);
}

TEST_CASE("served again: what one target left is there for the next",
          "[link][served_address]") {
  pair p;
  serve_one(p, {.window = 4});
  p.send(3);
  REQUIRE(p.c.run_until([&] { return p.seen.size() == 1; }, 5s));
  p.c.run(5s);
  CHECK(p.waiting("q") == 2);
  p.serve_well();
  p.c.run(25s);
  CHECK(tests::sorted(p.seen) == up_to(3));
  CHECK(p.waiting("q") == 0);
}

TEST_CASE("served again: two at a time share a queue until one has ended",
          "[link][served_address]") {
  pair p;
  serve_one(p, {.window = 1});
  p.serve_well({.window = 1});
  p.c.run(1s);
  send_alone(p, "q", 10);
  p.c.run(5s);
  CHECK(tests::sorted(p.seen) == up_to(10));
  CHECK(p.waiting("q") == 0);
}

TEST_CASE("served again: answers of one that has ended leave others their room",
          "[link][served_address]") {
  pair p;
  p.receiver->set_terms({.latency_min = 200ms, .latency_max = 200ms});
  p.restart_receiver([](auto& x) {
    x.send_queue.messages_max = 20;
    x.in_flight_max = 1;
  });
  promises of_q;
  promises of_parked;
  const auto ends = serve_held(p, "q", of_q);
  static_cast<void>(serve_held(p, "parked", of_parked));
  p.c.run(5s);
  send_alone(p, "q", 30, {.how = bridge::level::done});
  send_alone(p, "parked", 30, {.how = bridge::level::done});
  p.c.run(2s);
  REQUIRE(of_q.size() == 30);
  REQUIRE(of_parked.size() == 30);
  answer(p, of_q); // they leave one after the other
  p.receiver->execute(
      [&] { caf::anon_send_exit(ends, caf::exit_reason::user_shutdown); });
  REQUIRE(p.c.run_until([&] { return consumers(p, "q") == 0; }, 5s));
  p.c.run(500ms); // the answer to the detach
  answer(p, of_parked);
  p.c.run(29s);
  CHECK(p.receiver->network().counters().queue_full == 0);
  CHECK(p.sender->network().counters().done == 60);
}

TEST_CASE("served again: what is served no more is not declared any more",
          "[link][served_address]") {
  pair p;
  serve_own_and_end(p);
  REQUIRE(comes_back(p));
  p.c.run(5s);
  CHECK(p.receiver->ready());
  CHECK(!has_s(p));
}

TEST_CASE("served again: what others made of a queue since stops nobody who "
          "serves it no more",
          "[link][served_address]") {
  pair p;
  serve_own_and_end(p);
  static_cast<void>(serve_own(*p.sender, 5));
  REQUIRE(p.c.run_until([&] { return has_s(p) && p.sender->ready(); }, 5s));
  CHECK(comes_back(p));
}
