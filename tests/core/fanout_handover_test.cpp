// Goal: whoever read at one owner of a shard reads nothing older at the next,
// nor at the one before when that has the shard again.
// Method: the core against a store in memory; what another owner was sent
// meanwhile is in the store and was never delivered here.
#include "tests/core/fanout_shard.hpp"

using namespace rookery::actors;
using namespace rookery::service::v1;
using namespace std::chrono_literals;
using rookery::actors::tests::is;
using rookery::actors::tests::shard;

namespace {

constexpr int handover_ms = 200;
constexpr std::uint32_t tweets = 0; // the only tweet log

using ids = std::vector<tweet_id>;

/// A shard that shows what it has, and its reader 1, who follows 9.
struct owner : shard {
  explicit owner(const fanout_options& x = {}) : shard{x} {
    REQUIRE(options.handover_time == std::chrono::milliseconds{handover_ms});
    world.follow(1, 9);
    start();
    pass(handover_ms);
  }

  void silence(int ms) {
    pass(ms);
    core.heard(now);
  }

  std::size_t heads_asked() {
    std::size_t result = 0;
    for (auto& x : waiting)
      result += is<HeadRequest>(x.request) ? 1 : 0;
    return result;
  }
};

} // namespace

TEST_CASE("handover: a new owner shows nothing at first", "[actors][fanout]") {
  shard uut{fanout_options{}};
  uut.start();
  CHECK(uut.core.status().ready());
  auto read = uut.read(1);
  uut.pass(handover_ms - 1);
  CHECK_FALSE(uut.shown(read));
  uut.pass(1);
  CHECK(uut.shown(read) == ids{});
}

TEST_CASE("handover: after a silence a read shows what the writers have",
          "[actors][fanout]") {
  owner uut;
  auto first = uut.world.post(9);
  uut.publish(tweets);
  REQUIRE(uut.shown(uut.read(1)) == ids{first});
  auto second = uut.world.post(9); // to another owner
  uut.silence(handover_ms / 2);
  CHECK(uut.shown(uut.read(1)) == ids{second, first});
}

TEST_CASE("handover: a change of the graph that was missed is made up for",
          "[actors][fanout]") {
  owner uut;
  auto id = uut.world.post(7);
  uut.publish(tweets);
  REQUIRE(uut.shown(uut.read(1)) == ids{});
  uut.world.follow(1, 7);
  uut.silence(handover_ms / 2);
  CHECK(uut.shown(uut.read(1)) == ids{id});
}

TEST_CASE("handover: what was missed is expanded before it counts",
          "[actors][fanout]") {
  owner uut;
  REQUIRE(uut.shown(uut.read(1)) == ids{});
  auto id = uut.world.post(9);
  uut.silence(handover_ms / 2);
  uut.works = false;
  auto read = uut.read(1);
  CHECK_FALSE(uut.shown(read));
  uut.works = true;
  uut.settle();
  CHECK(uut.shown(read) == ids{id});
}

TEST_CASE("handover: without a silence nobody is asked", "[actors][fanout]") {
  owner uut;
  uut.core.heard(uut.now);
  REQUIRE(uut.shown(uut.read(1)));
  uut.held = is<HeadRequest>;
  uut.silence(handover_ms / 2 - 1);
  CHECK(uut.shown(uut.read(1)));
  CHECK(uut.heads_asked() == 0);
}

TEST_CASE("handover: a silence costs nothing until somebody reads",
          "[actors][fanout]") {
  owner uut;
  uut.held = is<HeadRequest>;
  uut.silence(handover_ms);
  uut.silence(handover_ms);
  uut.settle();
  CHECK(uut.heads_asked() == 0);
  auto read = uut.read(1);
  CHECK(uut.heads_asked() == 2); // of each log
  CHECK_FALSE(uut.shown(read));
  uut.release();
  CHECK(uut.shown(read) == ids{});
}

TEST_CASE("handover: slow writers keep no read waiting for ever",
          "[actors][fanout]") {
  owner uut;
  uut.silence(handover_ms);
  uut.held = is<HeadRequest>;
  auto first = uut.read(1);
  uut.silence(handover_ms); // the first read holds the queue
  auto second = uut.read(1);
  CHECK(uut.heads_asked() == 2);
  uut.release();
  CHECK(uut.shown(first) == ids{});
  CHECK(uut.shown(second) == ids{});
}

TEST_CASE("handover: what was asked before a silence says nothing after it",
          "[actors][fanout]") {
  shard uut{fanout_options{}};
  uut.world.follow(1, 9);
  auto first = uut.world.post(9);
  uut.held = is<HeadRequest>;
  uut.start();
  uut.publish(tweets); // so the head need not be known
  uut.pass(handover_ms);
  REQUIRE(uut.shown(uut.read(1)) == ids{first});
  REQUIRE(uut.waiting.size() == 1);
  auto early = std::exchange(uut.waiting, {}).front();
  auto late = uut.world.answer(early.request, early.writer);
  auto second = uut.world.post(9); // to another owner
  uut.pass(handover_ms);
  uut.core.heard(uut.now);
  auto read = uut.read(1);
  REQUIRE(uut.waiting.size() == 2); // of each log
  uut.respond(uut.waiting.back());
  uut.core.reply(early.ticket, late, uut.now);
  uut.settle();
  CHECK_FALSE(uut.shown(read));
  uut.release();
  CHECK(uut.shown(read) == ids{second, first});
}

TEST_CASE("handover: a silence counts again when no read waits any more",
          "[actors][fanout]") {
  owner uut;
  uut.silence(handover_ms);
  REQUIRE(uut.shown(uut.read(1)) == ids{});
  auto id = uut.world.post(9); // to another owner
  uut.silence(handover_ms);
  CHECK(uut.shown(uut.read(1)) == ids{id});
}

TEST_CASE("handover: a silence before the shard is ready counts as well",
          "[actors][fanout]") {
  shard uut{fanout_options{}};
  uut.world.follow(1, 9);
  uut.held = is<EdgesRequest>;
  uut.start();
  uut.pass(handover_ms);
  uut.core.heard(uut.now);
  auto read = uut.read(1);
  uut.held = is<HeadRequest>;
  for (auto& x : std::exchange(uut.waiting, {}))
    uut.respond(x);
  uut.settle();
  CHECK(uut.core.status().ready());
  CHECK_FALSE(uut.shown(read));
  uut.release();
  CHECK(uut.shown(read) == ids{});
}

TEST_CASE("handover: who missed more than it can make up for is stale",
          "[actors][fanout]") {
  fanout_options options;
  options.missed_rows_max = 3;
  for (auto missed : {3, 4}) {
    owner uut{options};
    REQUIRE(uut.shown(uut.read(1)) == ids{});
    for (int i = 0; i < missed; ++i)
      uut.world.post(9); // to another owner
    uut.held = is<ReadLogRequest>;
    uut.silence(handover_ms / 2);
    static_cast<void>(uut.read(1));
    CHECK(uut.core.is_stale() == (missed == 4));
    uut.release();
    CHECK_FALSE(uut.core.is_stale());
  }
}

TEST_CASE("handover: who is behind, and was not silent, is not stale",
          "[actors][fanout]") {
  fanout_options options;
  options.missed_rows_max = 3;
  owner uut{options};
  uut.held = is<ReadLogRequest>;
  for (int i = 0; i < 5; ++i)
    uut.world.post(9);
  uut.publish(tweets, 5); // the first four were dropped
  REQUIRE_FALSE(uut.waiting.empty());
  CHECK_FALSE(uut.core.is_stale());
}

TEST_CASE("handover: who still reads the graph is not stale, however long the "
          "follow log",
          "[actors][fanout]") {
  fanout_options options;
  options.missed_rows_max = 3;
  shard uut{options};
  for (user_id x = 10; x < 15; ++x)
    uut.world.follow(1, x);
  uut.held = is<EdgesRequest>;
  uut.start();
  constexpr std::uint32_t follows = 1;
  CHECK_FALSE(uut.core.take_head(uut.world.log_head(follows), uut.now));
  uut.pass(handover_ms);
  uut.core.heard(uut.now);
  CHECK_FALSE(uut.core.is_stale());
  uut.release();
  CHECK_FALSE(uut.core.is_stale());
  CHECK(uut.core.status().ready());
}

TEST_CASE(
    "handover: who holds a batch has the shard, as long as it can be held",
    "[actors][fanout]") {
  owner uut;
  REQUIRE(uut.shown(uut.read(1)) == ids{});
  uut.held = is<HeadRequest>;
  uut.works = false; // it is expanded for long
  uut.world.post(9);
  uut.publish(tweets);
  uut.silence(handover_ms);
  CHECK(uut.shown(uut.read(1)));
  CHECK(uut.heads_asked() == 0);
  uut.silence(static_cast<int>(uut.options.held_max.count()) + 1);
  CHECK_FALSE(uut.shown(uut.read(1)));
  CHECK(uut.heads_asked() == 2);
}
