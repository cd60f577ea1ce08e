// Goal: the fanout actor asks its writers, answers batches after their work,
// lets reads pass a celebrity's expansion, and does nothing before it owns
// its shard.
// Method: the actor over writers that answer from a store in memory, in
// virtual time. What a shard computes is told in fanout_core_test.cpp.
#include "actors/fanout/fanout.hpp"

#include "actors/errc.hpp"
#include "actors/tweet/next_id.hpp"
#include "testing/test_system.hpp"
#include "tests/core/fanout_world.hpp"
#include "tests/support/catch.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace rookery;
using namespace rookery::actors;
using namespace service::v1;
using namespace std::chrono_literals;
using rookery::actors::tests::fanout_world;
using rookery::testing::test_system;

namespace {

/// What a writer is asked and answers: from the world, unless it is silent.
struct writer_state {
  fanout_world world{1, 0, 1};
  bool silent = false;
  int asked = 0;
};

caf::behavior writer(caf::event_based_actor* self,
                     std::shared_ptr<writer_state> state,
                     std::uint32_t number) {
  auto answer = [=](const writer_request& x) -> writer_reply {
    ++state->asked;
    return state->world.answer(x, number);
  };
  auto handler = [=]<class Reply, class Request>(std::type_identity<Reply>,
                                                 const Request& x) {
    auto promise = self->make_response_promise<Reply>();
    auto reply = answer(x);
    if (!state->silent)
      promise.deliver(std::get<Reply>(std::move(reply)));
    return promise;
  };
  return {
      [=](const HeadRequest& x) {
        return handler(std::type_identity<LogHead>{}, x);
      },
      [=](const ReadLogRequest& x) {
        return handler(std::type_identity<LogBatch>{}, x);
      },
      [=](const EdgesRequest& x) {
        return handler(std::type_identity<EdgesReply>{}, x);
      },
      [=](const PullRequest& x) {
        return handler(std::type_identity<PullReply>{}, x);
      },
      [=](const GetTweetsRequest& x) {
        return handler(std::type_identity<Tweets>{}, x);
      },
  };
}

/// Most cases are not about owners that follow each other.
fanout_options alone() {
  fanout_options result;
  result.handover_time = {};
  return result;
}

/// The only shard, of one tweet log.
struct fixture {
  explicit fixture(fanout_options options = alone()) {
    fanout_wiring wiring;
    wiring.tweet_writers = {t.spawn(writer, store, 0u)};
    wiring.follow_writer = t.spawn(writer, store, 1u);
    wiring.clock = [this] {
      auto since_epoch = t.now().time_since_epoch();
      return moment{
          steady_time{
              std::chrono::duration_cast<steady_time::duration>(since_epoch)},
          static_cast<std::uint64_t>(
              std::chrono::duration_cast<std::chrono::microseconds>(since_epoch)
                  .count())};
    };
    wiring.lease = [this] { return looks++ < looks_max; };
    shard = t.spawn(fanout, options, std::move(wiring));
    shard->attach_functor([this](const caf::error& why) { end = why; });
    t.run();
  }

  [[nodiscard]] fanout_world& world() const { return store->world; }

  HomeTimelineRequest home(user_id user) const {
    HomeTimelineRequest result;
    result.set_user(user);
    return result;
  }

  int looks = 0; // at the lease
  int looks_max = 1'000'000;
  std::optional<caf::error> end; // why the shard ended
  test_system t;
  std::shared_ptr<writer_state> store = std::make_shared<writer_state>();
  fanout_actor shard;
};

std::uint8_t code(errc x) { return static_cast<std::uint8_t>(x); }

} // namespace

TEST_CASE("fanout: asks nobody before its first message", "[fanout]") {
  fixture s;
  s.t.advance_time(10s);
  CHECK(s.store->asked == 0);
  CHECK(s.t.ask<ShardStatus>(s.shard, ShardStatusRequest{}));
  CHECK(s.store->asked > 0);
}

TEST_CASE("fanout: a read is built from the writers, texts included",
          "[fanout]") {
  fixture s;
  s.world().follow(1, 9);
  auto id = s.world().post(9);
  auto reply = s.t.ask<HomeTimelineReply>(s.shard, s.home(1));
  REQUIRE(reply);
  REQUIRE(reply->tweets_size() == 1);
  CHECK(reply->tweets(0).id() == id);
  CHECK(reply->tweets(0).author() == 9);
  CHECK(reply->tweets(0).text() == "text");
}

TEST_CASE("fanout: shows what it missed while another had the shard",
          "[fanout]") {
  fixture s{fanout_options{}};
  s.world().follow(1, 9);
  auto first = s.t.start<HomeTimelineReply>(s.shard, s.home(1));
  s.t.advance_time(100ms);
  CHECK_FALSE(first.done()); // so soon after its first message
  s.t.advance_time(150ms);
  CHECK(first.done());
  auto id = s.world().post(9);
  s.t.advance_time(1s);
  auto second = s.t.ask<HomeTimelineReply>(s.shard, s.home(1));
  REQUIRE(second);
  REQUIRE(second->tweets_size() == 1);
  CHECK(second->tweets(0).id() == id);
}

TEST_CASE("fanout: ends when it missed too much while another had the shard",
          "[fanout]") {
  fanout_options options;
  options.missed_rows_max = 3;
  for (auto missed : {3, 4}) {
    fixture f{options};
    f.world().follow(1, 9);
    auto before = f.t.start<HomeTimelineReply>(f.shard, f.home(1));
    f.t.advance_time(1s);
    REQUIRE(before.get());
    for (int i = 0; i < missed; ++i)
      f.world().post(9);
    f.t.advance_time(1s);
    auto after = f.t.start<HomeTimelineReply>(f.shard, f.home(1));
    f.t.advance_time(1s);
    CHECK(f.end.has_value() == (missed == 4));
    if (missed == 4) // the next one gets the read
      CHECK(*f.end == caf::exit_reason::user_shutdown);
    else
      CHECK(after.get()->tweets_size() == 3);
  }
}

TEST_CASE("fanout: a batch is answered after its last follower", "[fanout]") {
  auto options = alone();
  options.quantum = 1;
  fixture s{options};
  for (user_id follower = 1; follower <= 100; ++follower)
    s.world().follow(follower, 0);
  REQUIRE(s.t.ask<HomeTimelineReply>(s.shard, s.home(100)));
  auto id = s.world().post(0);
  auto batch = s.t.start<void>(s.shard, s.world().batch(0, 1, 1));
  // Asked behind the batch, answered before it: a celebrity holds nobody up.
  auto status = s.t.start<ShardStatus>(s.shard, ShardStatusRequest{});
  s.t.run();
  CHECK(status.get()->jobs() == 1);
  CHECK(status.get()->applied(0).seq() == 0);
  CHECK(batch.get());
  auto reply = s.t.ask<HomeTimelineReply>(s.shard, s.home(100));
  REQUIRE(reply->tweets_size() == 1);
  CHECK(reply->tweets(0).id() == id);
  CHECK(s.t.ask<ShardStatus>(s.shard, ShardStatusRequest{})->pushed() == 1);
}

TEST_CASE("fanout: what makes no sense is refused with the reason",
          "[fanout]") {
  fixture s;
  LogBatch batch;
  batch.set_log("tweet/7");
  CHECK(s.t.ask<void>(s.shard, batch).error().code()
        == code(errc::unknown_log));
  LogHead head;
  head.set_log("follow/7");
  CHECK(s.t.ask<void>(s.shard, head).error().code() == code(errc::unknown_log));
  auto request = s.home(1);
  request.set_limit(201);
  CHECK(s.t.ask<HomeTimelineReply>(s.shard, request).error().code()
        == code(errc::invalid_argument));
  CHECK(s.t.ask<DumpTimelinesReply>(s.shard, DumpTimelinesRequest{})
            .error()
            .code()
        == code(errc::invalid_argument));
}

TEST_CASE("fanout: a read whose writers are silent ends in time", "[fanout]") {
  fixture s;
  s.store->silent = true;
  auto read = s.t.start<HomeTimelineReply>(s.shard, s.home(1));
  s.t.advance_time(4900ms);
  CHECK_FALSE(read.done());
  s.t.advance_time(200ms);
  REQUIRE(read.done());
  CHECK(read.get().error().code() == code(errc::not_complete));
}

TEST_CASE("fanout: goes on by itself when the writers answer again",
          "[fanout]") {
  fixture s;
  s.store->silent = true;
  auto batch = s.t.start<void>(s.shard, s.world().batch(0, 1, 1));
  s.t.advance_time(30s);
  auto asked = s.store->asked;
  CHECK(asked >= 4);  // asks again
  CHECK(asked <= 40); // less and less often
  s.store->silent = false;
  s.t.advance_time(6s);
  CHECK(batch.get());
  CHECK(s.t.ask<ShardStatus>(s.shard, ShardStatusRequest{})->ready());
}

TEST_CASE("fanout: tells when a tweet was in the last timeline", "[fanout]") {
  fixture s;
  REQUIRE(s.t.ask<HomeTimelineReply>(s.shard, s.home(9)));
  auto id = s.world().post(9);
  auto batch = s.world().batch(0, 1, 1);
  auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      s.t.now().time_since_epoch());
  batch.mutable_rows(0)->set_intended_at_us(
      static_cast<std::uint64_t>(now.count()) - 1500);
  REQUIRE(s.t.ask<void>(s.shard, batch));
  auto done = s.t.ask<CompletionsReply>(s.shard, CompletionsRequest{});
  REQUIRE(done->tweet_ids_size() == 1);
  CHECK(done->tweet_ids(0) == id);
  CHECK(done->latencies_us(0) == 1500);
}

TEST_CASE("fanout: tells of a tweet it read back, counted from its id",
          "[fanout]") {
  fixture s;
  REQUIRE(s.t.ask<HomeTimelineReply>(s.shard, s.home(9)));
  auto id = s.world().post(9);
  LogHead head;
  head.set_log("tweet/0");
  head.set_seq(1);
  REQUIRE(s.t.ask<void>(s.shard, head));
  s.t.run();
  auto done = s.t.ask<CompletionsReply>(s.shard, CompletionsRequest{});
  REQUIRE(done->tweet_ids_size() == 1);
  CHECK(done->tweet_ids(0) == id);
  auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      s.t.now().time_since_epoch());
  auto posted = actors::posted_at_us(id);
  auto expected = std::max<std::uint64_t>(now.count(), posted) - posted;
  CHECK(done->latencies_us(0) == expected);
}

TEST_CASE("fanout: without the lease nothing in the mailbox is handled",
          "[fanout]") {
  fixture s;
  s.looks_max = 0;
  auto batch = s.t.start<void>(s.shard, s.world().batch(0, 1, 1));
  auto read = s.t.start<HomeTimelineReply>(s.shard, s.home(1));
  auto dump = s.t.start<DumpTimelinesReply>(s.shard, DumpTimelinesRequest{});
  s.t.run();
  CHECK(s.store->asked == 0);
  CHECK_FALSE(batch.done());
  // What it did not even look at: told by the runtime, not by the shard.
  CHECK(read.get().error() == caf::sec::request_receiver_down);
  CHECK(dump.get().error() == caf::sec::request_receiver_down);
  REQUIRE(s.end);
  CHECK(*s.end == errc::lease_lapsed);
  CHECK(s.looks == 1); // over is over
}

TEST_CASE("fanout: a read is not answered wherever the lease lapses",
          "[fanout]") {
  int lapses = 0;
  for (bool answered = false; !answered; ++lapses) {
    INFO("looks=" << lapses);
    fixture s;
    s.world().follow(1, 9);
    s.world().post(9);
    s.looks_max = lapses;
    auto read = s.t.start<HomeTimelineReply>(s.shard, s.home(1));
    s.t.run();
    answered = read.done();
    CHECK(s.end.has_value() != answered);
  }
  // Before the message, after each answer of a writer, before the answer.
  CHECK(lapses > 5);
}

TEST_CASE("fanout: a batch is not answered wherever the lease lapses",
          "[fanout]") {
  auto options = alone();
  options.quantum = 1;
  int lapses = 0;
  for (bool answered = false; !answered; ++lapses) {
    INFO("looks=" << lapses);
    fixture s{options};
    for (user_id follower = 1; follower <= 10; ++follower)
      s.world().follow(follower, 0);
    REQUIRE(s.t.ask<HomeTimelineReply>(s.shard, s.home(10)));
    s.world().post(0);
    s.looks_max = s.looks + lapses;
    auto batch = s.t.start<void>(s.shard, s.world().batch(0, 1, 1));
    s.t.run();
    answered = batch.done();
    CHECK(s.end.has_value() != answered);
  }
  CHECK(lapses > 10); // at least one for each quantum
}
