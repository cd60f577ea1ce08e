// What becomes of a delivery whose handler failed: it is handed over again,
// later and later, until it is given up; its neighbours do not suffer.
// Method: as in served_address_test, with a clock of its own.
#include "bridge/caf/served_address.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/parked.hpp"
#include "tests/support/serving_rig.hpp"

#include <caf/all.hpp>

#include <map>
#include <stdexcept>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::errc;
using bridge::outcome;
using service::v1::PostTweetRequest;
using clock_type = bridge::served_address::clock;

namespace {

struct manual_clock {
  clock_type::time_point now = clock_type::now();
};

/// A served address whose targets do what `handle` says.
struct rig : manual_clock, tests::serving_rig {
  rig() : serving_rig{{}, [this] { return now; }} {}

  using handler =
      std::function<caf::result<void>(caf::event_based_actor*, std::uint64_t)>;

  bridge::served_address& serve_with(handler handle,
                                     bridge::serve_options options = {}) {
    // Spawned where exceptions are no failure of the test.
    auto make = [this, handle] {
      ++made;
      return world.system().spawn([=, this](caf::event_based_actor* self) {
        self->set_exception_handler(
            [](caf::scheduled_actor*, std::exception_ptr&) -> caf::error {
              return caf::exit_reason::unhandled_exception;
            });
        return caf::behavior{[=, this](const PostTweetRequest& x) {
          seen.push_back(x.author());
          return handle(self, x.author());
        }};
      });
    };
    return serve(nullptr, options, make);
  }

  /// Lets `time` pass in small steps.
  void pass(bridge::served_address& uut, std::chrono::milliseconds time) {
    for (auto step = 0ms; step < time; step += 10ms) {
      now += 10ms;
      static_cast<void>(uut.check(now));
      world.run();
    }
  }

  std::vector<std::uint64_t> seen; // by handlers, in order
  int made = 0;                    // targets
};

using handler = rig::handler;

// Fails `times` times, then works.
handler failing(int times) {
  return [left = std::make_shared<int>(times)](
             caf::event_based_actor*, std::uint64_t) -> caf::result<void> {
    if ((*left)-- > 0)
      return caf::make_error(errc::failed, "not yet");
    return caf::unit;
  };
}

} // namespace

TEST_CASE("retry: a handler that failed gets it again, the broker learns of "
          "the end alone",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve_with(failing(2));
  uut.deliver(1, rig::post(7), r.now);
  r.world.run();
  CHECK(r.settled().empty());
  r.pass(uut, 2s);
  CHECK(r.seen == std::vector<std::uint64_t>{7, 7, 7});
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].delivery == 1);
  CHECK(settled[0].result == outcome::accepted());
  CHECK(r.home->counters.snapshot().failed == 2);
}

TEST_CASE("retry: after those that follow at once, each waits",
          "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.retry.immediate = 2;
  options.retry.delay = {.delay_min = 400ms, .first = 400ms, .delay_max = 1s};
  auto& uut = r.serve_with(failing(100), options);
  uut.deliver(1, rig::post(7), r.now);
  r.world.run();
  r.pass(uut, 50ms);
  CHECK(r.seen.size() == 3);
  r.pass(uut, 300ms);
  CHECK(r.seen.size() == 3);
  r.pass(uut, 100ms);
  CHECK(r.seen.size() == 4);
}

TEST_CASE("retry: what failed too often is parked with the reason and the "
          "number of attempts",
          "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.retry.attempts_max = 3;
  auto& uut = r.serve_with(failing(100), options);
  uut.deliver(1, rig::post(7), r.now);
  r.world.run();
  r.pass(uut, 10s);
  CHECK(r.seen.size() == 3);
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  const auto note = tests::note_of(settled[0].result);
  CHECK(note.condition == "amqp:internal-error");
  CHECK(note.reason.find("failed 3 times") != std::string::npos);
  CHECK(note.reason.find("not yet") != std::string::npos);
  CHECK(note.attempts == 3);
  CHECK(note.queue == "q");
  CHECK(settled[0].result.failed);
  CHECK(r.home->counters.snapshot().given_up == 1);
}

TEST_CASE("retry: a handler that never answers has failed each time it got it",
          "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.handler_timeout = 5s;
  options.retry.attempts_max = 3;
  std::vector<caf::typed_response_promise<void>> unkept;
  auto& uut = r.serve_with(
      [&](caf::event_based_actor* self, std::uint64_t) -> caf::result<void> {
        unkept.push_back(self->make_response_promise<void>());
        return unkept.back();
      },
      options);
  bridge::envelope head;
  head.message_id = "0123456789abcdef.0-7";
  PostTweetRequest body;
  body.set_author(7);
  const auto bytes = bridge::encode(head, body);
  for (std::uint64_t delivery : {1, 2}) {
    uut.deliver(delivery, bytes, r.now);
    r.world.run();
    r.pass(uut, 6s);
    const auto settled = r.settled();
    REQUIRE(settled.size() == 1);
    CHECK(settled[0].result == outcome::failure());
  }
  uut.deliver(3, bytes, r.now);
  r.world.run();
  r.pass(uut, 6s);
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  const auto note = tests::note_of(settled[0].result);
  CHECK(note.condition == "amqp:internal-error");
  CHECK(note.reason.find("no answer in 5000 ms") != std::string::npos);
  CHECK(note.attempts == 3);
  CHECK(r.seen.size() == 3);
  // Replayed, it begins anew.
  uut.deliver(4, bytes, r.now);
  r.world.run();
  r.pass(uut, 6s);
  settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::failure());
}

TEST_CASE("retry: failures count on when the message comes again",
          "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.retry.attempts_max = 3;
  options.retry.delay.delay_min = 200ms;
  auto& uut = r.serve_with(failing(100), options);
  bridge::envelope head;
  head.message_id = "0123456789abcdef.0-7";
  const auto bytes = bridge::encode(head, PostTweetRequest{});
  uut.deliver(1, bytes, r.now);
  r.world.run();
  r.pass(uut, 100ms); // two attempts
  CHECK(r.seen.size() == 2);
  r.home->lease.lost();
  uut.connection_over();
  r.pass(uut, 5s); // none is handed over without a connection
  CHECK(r.seen.size() == 2);
  CHECK(r.settled().size() == 1);
  r.home->lease.extend(r.now + 1h);
  uut.deliver(2, bytes, r.now);
  r.world.run();
  CHECK(r.seen.size() == 3);
  const auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::note_of(settled[0].result).attempts == 3);
}

TEST_CASE("retry: without a limit it goes on", "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.retry.attempts_max = 0;
  options.retry.delay.delay_max = 1s;
  auto& uut = r.serve_with(failing(50), options);
  uut.deliver(1, rig::post(7), r.now);
  r.world.run();
  r.pass(uut, 100s);
  CHECK(r.seen.size() == 51);
  CHECK(r.settled().size() == 1);
}

TEST_CASE("retry: what was in the mailbox of an actor that fell over did not "
          "fail",
          "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.retry.attempts_max = 3;
  auto poison = [](caf::event_based_actor*, std::uint64_t x) {
    if (x == 13)
      throw std::runtime_error{"thirteen"};
    return caf::result<void>{caf::unit};
  };
  auto& uut = r.serve_with(poison, options);
  for (std::uint64_t i = 11; i <= 15; ++i)
    uut.deliver(i, rig::post(i), r.now);
  r.world.run();
  r.pass(uut, 60s);
  // Its neighbours once each and in order, it as often as it may.
  std::erase(r.seen, 13);
  CHECK(r.seen == std::vector<std::uint64_t>{11, 12, 14, 15});
  CHECK(r.home->counters.snapshot().failed == 3);
  CHECK(r.made == 4);
  auto settled = r.settled();
  CHECK(settled.size() == 5);
  std::map<std::uint64_t, outcome> ends;
  for (const auto& x : settled)
    ends[x.delivery] = x.result;
  CHECK(ends.size() == 5);
  CHECK(tests::is_parked(ends[13]));
  for (auto x : {11, 12, 14, 15})
    CHECK(ends[static_cast<std::uint64_t>(x)] == outcome::accepted());
}

TEST_CASE("retry: who waits for a reply is told when it is given up",
          "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.retry.attempts_max = 2;
  auto& uut = r.serve_with(
      [](caf::event_based_actor*, std::uint64_t) -> caf::result<void> {
        throw std::runtime_error{"always"};
      },
      options);
  uut.deliver(1, rig::post(7, "/queues/me"), r.now);
  r.world.run();
  r.pass(uut, 30s);
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  bridge::v1::Error error;
  REQUIRE(error.ParseFromString(replies[0].body));
  CHECK(error.code() == static_cast<unsigned>(errc::failed));
}

TEST_CASE("retry: an answer as of a dead actor, by one that lives, has failed",
          "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.retry.attempts_max = 3;
  auto& uut = r.serve_with(
      [](caf::event_based_actor*, std::uint64_t) -> caf::result<void> {
        return caf::make_error(caf::sec::request_receiver_down);
      },
      options);
  uut.deliver(1, rig::post(7), r.now);
  r.world.run();
  r.pass(uut, 30s);
  CHECK(r.seen.size() == 3);
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::is_parked(settled[0].result));
}

TEST_CASE("retry: a time to live is over once a handler had the message",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve_with(failing(6));
  bridge::envelope head;
  head.message_id = "other.1-1";
  head.ttl = 100ms;
  uut.deliver(1, bridge::encode(head, PostTweetRequest{}), r.now);
  r.world.run();
  r.pass(uut, 60s);
  CHECK(r.seen.size() == 7);
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::accepted());
}

TEST_CASE("retry: a node that stops takes nothing in that would wait",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(nullptr, {}, [] { return caf::actor{}; });
  uut.give_back();
  uut.deliver(1, rig::post(7), r.now);
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::untouched());
}

TEST_CASE("retry: a node that stops gives back what waits",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve_with(failing(100));
  uut.deliver(1, rig::post(7), r.now);
  r.world.run();
  r.pass(uut, 20ms); // the second attempt has failed
  CHECK(r.settled().empty());
  uut.give_back();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::failure());
  uut.deliver(2, rig::post(8), r.now);
  r.world.run();
  settled = r.settled();
  REQUIRE(settled.size() == 1); // at once, without another attempt
  CHECK(settled[0].result == outcome::failure());
}

TEST_CASE("retry: a node that stops makes no other target",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve_with([](caf::event_based_actor* self, std::uint64_t) {
    self->quit();
    return caf::result<void>{caf::unit};
  });
  uut.give_back();
  uut.deliver(1, rig::post(7), r.now);
  r.world.run();
  REQUIRE(r.seen.size() == 1);
  r.pass(uut, 60s);
  CHECK(r.made == 1);
}
