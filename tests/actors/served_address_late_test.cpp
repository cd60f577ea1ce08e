// A delivery that ends because its handler took too long, while it may still be
// in the mailbox: it keeps its place, and its copies wait for it. Method: a
// target that gets no turn before the test says so.
#include "bridge/caf/served_address.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/parked.hpp"
#include "tests/support/serving_rig.hpp"

#include <caf/all.hpp>

#include <algorithm>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::outcome;
using service::v1::PostTweetRequest;
using clock_type = bridge::served_address::clock;
using numbers = std::vector<std::uint64_t>;

namespace {

struct manual_clock {
  clock_type::time_point now = clock_type::now();
};

/// A served address whose handler keeps the first promises it is asked to keep.
struct rig : manual_clock, tests::serving_rig {
  explicit rig(std::uint32_t attempts_max = 0)
      : serving_rig{{}, [this] { return now; }} {
    bridge::serve_options options;
    options.handler_timeout = 5s;
    options.retry.attempts_max = attempts_max;
    target = world.spawn([this](caf::event_based_actor* self) {
      return caf::behavior{[=, this](const PostTweetRequest& x) {
        seen.push_back(x.author());
        auto promise = self->make_response_promise();
        if (kept.size() < keeps)
          kept.push_back(promise);
        else
          promise.deliver(caf::unit);
        return promise;
      }};
    });
    uut = &serve(target, options);
  }

  void deliver(std::uint64_t delivery, std::uint64_t seq,
               const std::string& reply_to = {}) {
    bridge::envelope head;
    head.message_id = "0123456789abcdef.0-" + std::to_string(seq);
    head.reply_to = reply_to;
    PostTweetRequest body;
    body.set_author(seq);
    uut->deliver(delivery, bridge::encode(head, body), now);
  }
  void check_after(std::chrono::seconds time) {
    now += time;
    CHECK(uut->check(now));
  }
  /// Which deliveries were settled, all of them so.
  numbers settled_as(const outcome& how, bool early) {
    numbers result;
    for (const auto& x : settled()) {
      CHECK(x.result == how);
      CHECK(x.early == early);
      result.push_back(x.delivery);
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  std::size_t keeps = 0;
  caf::actor target;
  bridge::served_address* uut = nullptr;
  numbers seen;
  std::vector<caf::response_promise> kept;
};

const bool early = true;
const bool for_good = false;

} // namespace

TEST_CASE("late: others may have it, but its place is taken until it was begun",
          "[actors][served_address]") {
  rig r;
  for (std::uint64_t i = 1; i <= 3; ++i)
    r.deliver(i, i);
  r.check_after(5s);
  CHECK(r.settled_as(outcome::failure(), early) == numbers{1, 2, 3});
  r.check_after(60s);
  CHECK(r.settled().empty());
  r.world.run();
  CHECK(r.seen == numbers{1, 2, 3});
  CHECK(r.settled_as(outcome::accepted(), for_good) == numbers{1, 2, 3});
}

TEST_CASE("late: a copy waits for it, and is handled with it",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7, "/queues/me");
  r.check_after(5s);
  CHECK(r.settled_as(outcome::failure(), early) == numbers{1});
  r.deliver(2, 7, "/queues/me");
  r.check_after(1s);
  CHECK(r.settled().empty());
  r.world.run();
  CHECK(r.seen == numbers{7});
  CHECK(r.settled_as(outcome::accepted(), for_good) == numbers{1, 2});
  CHECK(r.replies().size() == 1);
}

TEST_CASE("late: a copy that comes when it is done is not handled again",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7, "/queues/me");
  r.check_after(5s);
  r.world.run();
  static_cast<void>(r.settled());
  CHECK(r.replies().size() == 1); // there may never be a copy
  r.deliver(2, 7, "/queues/me");
  r.world.run();
  CHECK(r.seen == numbers{7});
  CHECK(r.settled_as(outcome::accepted(), for_good) == numbers{2});
}

TEST_CASE("late: what a handler has and keeps is over, and a copy tried again",
          "[actors][served_address]") {
  rig r;
  r.keeps = 1;
  r.deliver(1, 1);
  r.world.run();
  r.now += 1s;
  SECTION("because the target waits for more") {}
  SECTION("because the target answered one behind it") {
    r.deliver(2, 2);
    r.world.run();
    CHECK(r.settled_as(outcome::accepted(), for_good) == numbers{2});
    r.deliver(3, 3); // it is not idle
  }
  r.check_after(4s);
  CHECK(r.settled_as(outcome::failure(), for_good) == numbers{1});
  r.deliver(4, 1);
  r.world.run();
  CHECK(std::count(r.seen.begin(), r.seen.end(), 1) == 2);
}

TEST_CASE("late: it is over when the target passed it by",
          "[actors][served_address]") {
  rig r;
  r.keeps = 1;
  r.deliver(1, 1);
  r.check_after(5s);
  CHECK(r.settled_as(outcome::failure(), early) == numbers{1});
  r.deliver(2, 1);
  r.world.run(); // it is with the handler, which keeps it
  CHECK(r.settled().empty());
  r.check_after(1s);
  CHECK(r.settled_as(outcome::failure(), for_good) == numbers{1, 2});
  r.deliver(3, 1);
  r.world.run();
  CHECK(r.seen == numbers{1, 1});
  CHECK(r.settled_as(outcome::accepted(), for_good) == numbers{3});
}

TEST_CASE(
    "late: copies wait no longer than a handler may take, and each counts",
    "[actors][served_address]") {
  rig r{3};
  r.deliver(1, 7);
  r.check_after(5s);
  CHECK(r.settled_as(outcome::failure(), early) == numbers{1});
  r.deliver(2, 7);
  r.check_after(4s);
  CHECK(r.settled().empty());
  r.check_after(1s);
  CHECK(r.settled_as(outcome::failure(), for_good) == numbers{2});
  r.deliver(3, 7);
  r.check_after(5s);
  const auto last = r.settled();
  REQUIRE(last.size() == 1);
  CHECK(last[0].delivery == 3);
  CHECK(tests::note_of(last[0].result).attempts == 3);
  r.world.run();
  CHECK(r.settled_as(outcome::accepted(), for_good) == numbers{1});
}

TEST_CASE("late: a node that stops waits for none of it",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7);
  r.deliver(2, 8);
  r.now += 1s;
  r.deliver(3, 9);
  r.check_after(4s);
  CHECK(r.settled_as(outcome::failure(), early) == numbers{1, 2});
  r.deliver(4, 7);
  r.uut->give_back();
  CHECK(r.settled_as(outcome::failure(), for_good) == numbers{1, 2, 4});
  r.check_after(1s);
  CHECK(r.settled_as(outcome::failure(), for_good) == numbers{3});
}

TEST_CASE("late: the target's end frees its place, and its copies",
          "[actors][served_address]") {
  rig r;
  r.keeps = 1;
  r.deliver(1, 7);
  r.check_after(5s);
  static_cast<void>(r.settled());
  r.deliver(2, 7);
  caf::anon_send_exit(r.target, caf::exit_reason::kill);
  r.world.run();
  CHECK(r.settled_as(outcome::failure(), for_good) == numbers{1, 2});
}
