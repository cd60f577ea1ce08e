// Goal: what a shard promises those who deliver to it, read from it and watch
// it, one promise at a time.
// Method: the core against a store in memory that answers at once, unless the
// case holds the requests back.
#include "tests/core/fanout_shard.hpp"

#include <algorithm>
#include <string>

using namespace rookery::actors;
using namespace rookery::service::v1;
using rookery::actors::tests::alone;
using rookery::actors::tests::is;
using rookery::actors::tests::shard;

namespace {

std::uint8_t code(errc x) { return static_cast<std::uint8_t>(x); }

fanout_options small_cap(std::uint32_t cap) {
  auto result = alone();
  result.timeline_cap = cap;
  return result;
}

constexpr std::uint32_t tweets = 0;  // the only tweet log
constexpr std::uint32_t follows = 1; // its number follows the tweet logs'

using ids = std::vector<tweet_id>;

} // namespace

TEST_CASE("fanout_core: a tweet reaches followers and its author",
          "[actors][fanout]") {
  shard uut;
  uut.world.follow(1, 9);
  uut.world.follow(2, 9);
  uut.start();
  for (user_id user : {1, 2, 3, 9})
    CHECK(uut.shown(uut.read(user)) == ids{});
  auto id = uut.world.post(9);
  auto batch = uut.publish(tweets);
  CHECK(uut.finished == std::vector{batch});
  for (user_id user : {1, 2, 9})
    CHECK(uut.shown(uut.read(user)) == ids{id});
  CHECK(uut.shown(uut.read(3)) == ids{});
  CHECK(uut.core.status().pushed() == 3);
  CHECK(uut.core.status().complete() == 4);
}

TEST_CASE("fanout_core: a batch is finished after its expansions",
          "[actors][fanout]") {
  auto options = alone();
  options.quantum = 1;
  shard uut{options};
  uut.world.follow(1, 9);
  uut.world.follow(2, 9);
  uut.start();
  uut.works = false;
  uut.world.post(9);
  auto batch = uut.publish(tweets);
  CHECK(uut.finished.empty());
  CHECK(uut.core.status().jobs() == 1);
  CHECK(uut.core.status().applied(0).seq() == 0);
  uut.core.work(uut.now);
  uut.settle();
  CHECK(uut.finished.empty());
  uut.works = true;
  uut.settle();
  CHECK(uut.finished == std::vector{batch});
  CHECK(uut.core.status().applied(0).seq() == 1);
}

TEST_CASE("fanout_core: rows of more authors than take turns wait",
          "[actors][fanout]") {
  auto options = alone();
  options.authors_max = 2;
  shard uut{options};
  for (user_id author : {7, 8, 9})
    uut.world.follow(1, author);
  uut.start();
  uut.works = false;
  for (user_id author : {7, 7, 8, 9, 7})
    uut.world.post(author);
  uut.publish(tweets);
  CHECK(uut.core.status().jobs() == 3);
  uut.works = true;
  uut.settle();
  CHECK(uut.finished.size() == 1);
  CHECK(uut.core.status().applied(0).seq() == 5);
}

TEST_CASE("fanout_core: one author's deletions do not hold up others",
          "[actors][fanout]") {
  auto options = alone();
  options.authors_max = 2;
  options.quantum = 1;
  shard uut{options};
  for (user_id reader : {1, 2, 3})
    uut.world.follow(reader, 9);
  uut.world.follow(1, 8);
  uut.start();
  (void)uut.read(1);
  for (int i = 0; i < 50; ++i)
    uut.world.erase(uut.world.post(9));
  auto theirs = uut.world.post(8);
  uut.works = false;
  uut.publish(tweets);
  for (int turn = 0; turn < 4; ++turn)
    uut.core.work(uut.now);
  auto shown = uut.shown(uut.read(1));
  REQUIRE(shown);
  CHECK(std::count(shown->begin(), shown->end(), theirs) == 1);
  CHECK(uut.finished.empty());
  uut.works = true;
  uut.settle();
  CHECK(uut.shown(uut.read(1)) == uut.home(1));
}

TEST_CASE("fanout_core: batches beyond the limit are dropped and read back",
          "[actors][fanout]") {
  auto options = alone();
  options.batches_max = 1;
  shard uut{options};
  uut.world.follow(1, 9);
  uut.start();
  (void)uut.read(1);
  uut.works = false;
  uut.world.post(9);
  auto first = uut.publish(tweets, 1);
  uut.world.post(9);
  auto second = uut.publish(tweets, 2);
  CHECK(uut.finished == std::vector{second});
  uut.works = true;
  uut.settle();
  CHECK(uut.finished == std::vector{second, first});
  CHECK(uut.shown(uut.read(1)) == uut.home(1));
  CHECK(uut.core.status().applied(0).seq() == 2);
}

TEST_CASE("fanout_core: a reader who follows too many meanwhile is served",
          "[actors][fanout]") {
  auto options = alone();
  options.kept_max = 2;
  shard uut{options};
  for (user_id author : {11, 12, 13, 14})
    uut.world.post(author);
  uut.start();
  uut.held = is<PullRequest>;
  auto read = uut.read(1);
  for (user_id author : {11, 12, 13, 14})
    uut.world.follow(1, author);
  uut.publish(follows);
  CHECK(uut.waiting.size() == 2); // the second build, with all edges
  uut.release();
  CHECK(uut.shown(read) == uut.home(1));
}

TEST_CASE("fanout_core: a gap is read back, what is known is dropped",
          "[actors][fanout]") {
  shard uut;
  uut.world.follow(1, 9);
  uut.start();
  (void)uut.read(1);
  for (int i = 0; i < 6; ++i)
    uut.world.post(9);
  uut.publish(tweets, 5);
  CHECK(uut.shown(uut.read(1)) == uut.home(1));
  CHECK(uut.core.status().gaps() == 1);
  auto pushed = uut.core.status().pushed();
  uut.publish(tweets, 1);
  CHECK(uut.core.status().pushed() == pushed);
  uut.world.post(9);
  uut.publish(tweets, 4); // only its last row is news
  CHECK(uut.core.status().pushed() == pushed + 1);
  CHECK(uut.core.status().duplicates() == 0);
}

TEST_CASE("fanout_core: a head tells of rows that never came",
          "[actors][fanout]") {
  shard uut;
  uut.start();
  (void)uut.read(9);
  auto id = uut.world.post(9);
  CHECK_FALSE(uut.core.take_head(uut.world.log_head(tweets), uut.now));
  uut.settle();
  CHECK(uut.shown(uut.read(9)) == ids{id});
  uut.world.follow(9, 8);
  auto other = uut.world.post(8);
  CHECK_FALSE(uut.core.take_head(uut.world.log_head(follows), uut.now));
  CHECK_FALSE(uut.core.take_head(uut.world.log_head(tweets), uut.now));
  uut.settle();
  CHECK(uut.shown(uut.read(9)) == ids{other, id});
}

TEST_CASE("fanout_core: a failed read of a log is tried again later",
          "[actors][fanout]") {
  shard uut;
  uut.start();
  (void)uut.read(9);
  uut.held = is<ReadLogRequest>;
  uut.world.post(9);
  CHECK_FALSE(uut.core.take_head(uut.world.log_head(tweets), uut.now));
  uut.settle();
  REQUIRE(uut.waiting.size() == 1);
  uut.core.fail(uut.waiting[0].ticket, uut.now);
  uut.settle();
  CHECK(uut.waiting.size() == 1);
  CHECK(uut.core.wants_tick());
  uut.held = [](auto&) { return false; };
  uut.pass(99);
  CHECK(uut.core.status().applied(0).seq() == 0);
  uut.pass(1);
  CHECK(uut.core.status().applied(0).seq() == 1);
}

TEST_CASE("fanout_core: refuses logs and batches that make no sense",
          "[actors][fanout]") {
  shard uut;
  uut.start();
  LogBatch batch;
  batch.set_first_seq(1);
  for (auto* name : {"tweet/1", "follow/1", "tweet", ""}) {
    batch.set_log(name);
    CHECK(uut.core.take_batch(1, batch, uut.now).code()
          == code(errc::unknown_log));
  }
  LogHead head;
  head.set_log("tweet/7");
  CHECK(uut.core.take_head(head, uut.now).code() == code(errc::unknown_log));
  batch.set_log("tweet/0");
  batch.add_rows();
  batch.set_first_seq(0);
  CHECK(uut.core.take_batch(1, batch, uut.now).code()
        == code(errc::invalid_argument));
  batch.set_first_seq(~std::uint64_t{0});
  CHECK(uut.core.take_batch(1, batch, uut.now).code()
        == code(errc::invalid_argument));
  uut.settle();
  CHECK(uut.finished.empty());
}

TEST_CASE("fanout_core: skips and counts rows that make no sense",
          "[actors][fanout]") {
  auto options = alone();
  options.shards = 2;
  shard uut{options};
  auto local = uut.world.local(0);
  user_id foreign = 0;
  while (partition_of(foreign, 2) == 0)
    ++foreign;
  uut.start();
  (void)uut.read(local);
  LogBatch batch;
  batch.set_log("tweet/0");
  batch.set_first_seq(1);
  batch.add_rows(); // of no kind
  auto* wrong_log = batch.add_rows();
  wrong_log->set_kind(LogRow::FOLLOWED);
  wrong_log->set_subject(7);
  auto* no_tweet = batch.add_rows();
  no_tweet->set_kind(LogRow::POSTED);
  auto* good = batch.add_rows();
  good->set_kind(LogRow::POSTED);
  good->set_user(local);
  good->set_subject(7);
  CHECK_FALSE(uut.core.take_batch(1, batch, uut.now));
  batch = {};
  batch.set_log("follow/0");
  batch.set_first_seq(1);
  auto* of_another = batch.add_rows();
  of_another->set_kind(LogRow::FOLLOWED);
  of_another->set_user(foreign);
  CHECK_FALSE(uut.core.take_batch(2, batch, uut.now));
  uut.settle();
  CHECK(uut.finished.size() == 2);
  CHECK(uut.core.refused_rows() == 4);
  CHECK(uut.core.status().edges() == 0);
  CHECK(uut.core.status().applied(0).seq() == 4);
  CHECK(uut.shown(uut.read(local)) == ids{7});
}

TEST_CASE("fanout_core: reads wait until the shard knows its edges",
          "[actors][fanout]") {
  shard uut;
  for (user_id author = 10; author < 20; ++author)
    uut.world.follow(1, author);
  auto id = uut.world.post(15);
  uut.held = is<EdgesRequest>;
  uut.start();
  auto read = uut.read(1);
  CHECK_FALSE(uut.core.status().ready());
  uut.publish(tweets); // no timeline, nothing to do
  CHECK(uut.finished.size() == 1);
  CHECK_FALSE(uut.shown(read));
  uut.release();
  CHECK(uut.core.status().ready());
  CHECK(uut.core.status().edges() == 10);
  CHECK(uut.shown(read) == ids{id});
}

TEST_CASE("fanout_core: is not ready while its graph is of no single moment",
          "[actors][fanout]") {
  shard uut;
  for (user_id author = 10; author < 14; ++author)
    uut.world.follow(1, author); // pages of three
  uut.held = is<EdgesRequest>;
  uut.start();
  uut.respond(std::exchange(uut.waiting, {}).at(0));
  uut.settle();
  uut.world.unfollow(1, 10); // after the first page showed it
  uut.world.follow(1, 14);
  uut.held = is<ReadLogRequest>;
  uut.respond(std::exchange(uut.waiting, {}).at(0));
  uut.settle();
  CHECK_FALSE(uut.core.status().ready());
  uut.release();
  CHECK(uut.core.status().ready());
  CHECK(uut.core.status().edges() == 4);
}

TEST_CASE("fanout_core: tweets that came before it was ready are completed",
          "[actors][fanout]") {
  shard uut;
  uut.held = is<EdgesRequest>;
  uut.world.post(9); // intended at 1 us
  uut.start();
  uut.publish(tweets);
  CHECK(uut.core.completions_after({}).tweet_ids_size() == 0);
  uut.now.wall_us = 8'001;
  uut.release();
  auto done = uut.core.completions_after({});
  REQUIRE(done.tweet_ids_size() == 1);
  CHECK(done.latencies_us(0) == 8'000);
}

TEST_CASE("fanout_core: every expansion of somebody's tweet is completed",
          "[actors][fanout]") {
  auto options = alone();
  options.shards = 2;
  shard uut{options};
  auto local = uut.world.local(0);
  user_id foreign = 0;
  while (partition_of(foreign, 2) == 0)
    ++foreign;
  uut.start();
  auto own = uut.world.post(local);
  (void)uut.world.post(foreign); // nobody here follows him
  uut.world.erase(own);
  uut.publish(tweets);
  auto done = uut.core.completions_after({});
  REQUIRE(done.tweet_ids_size() == 1);
  CHECK(done.tweet_ids(0) == own);
  CHECK(done.latencies_us(0) == 4'999);
}

TEST_CASE("fanout_core: what a status tells", "[actors][fanout]") {
  shard uut{small_cap(7)};
  uut.world.follow(1, 9);
  uut.start();
  (void)uut.read(1);
  auto status = uut.core.status();
  CHECK(status.ready());
  CHECK(status.shard() == 0);
  REQUIRE(status.applied_size() == 2);
  CHECK(status.applied(0).log() == "tweet/0");
  CHECK(status.applied(1).log() == "follow/0");
  CHECK(status.applied(1).seq() == 1);
  CHECK(status.edges() == 1);
  CHECK(status.users() == 2);
  CHECK(status.complete() == 1);
  CHECK(status.building() == 0);
  CHECK(status.timeline_cap() == 7);
}

TEST_CASE("fanout_core: a dump pages complete timelines in user order",
          "[actors][fanout]") {
  shard uut;
  uut.start();
  for (user_id user : {7, 3, 5, 1}) {
    (void)uut.read(user);
    uut.world.post(user);
  }
  uut.publish(tweets);
  DumpTimelinesRequest request;
  CHECK(uut.core.dump(request).error().code() == code(errc::invalid_argument));
  request.set_entries_max(100'001);
  CHECK(uut.core.dump(request).error().code() == code(errc::invalid_argument));
  request.set_entries_max(2);
  auto page = uut.core.dump(request);
  REQUIRE(page);
  REQUIRE(page->timelines_size() == 2);
  CHECK(page->timelines(0).user() == 1);
  CHECK(page->timelines(1).user() == 3);
  CHECK(page->timelines(1).ids_size() == 1);
  CHECK_FALSE(page->last());
  request.set_after_user(3);
  request.set_entries_max(100);
  page = uut.core.dump(request);
  REQUIRE(page->timelines_size() == 2);
  CHECK(page->timelines(0).user() == 5);
  CHECK(page->last());
}

TEST_CASE("fanout_core: one reader's waiting reads leave room for others",
          "[actors][fanout]") {
  auto options = alone();
  options.reads_max = 64;
  shard uut{options};
  uut.start();
  uut.held = is<PullRequest>;
  uut.world.follow(1, 9);
  uut.publish(follows);
  HomeTimelineRequest request;
  request.set_user(1);
  for (std::uint32_t i = 0; i < options.reads_max / 8; ++i)
    CHECK_FALSE(uut.core.read(++uut.token, request, uut.now));
  CHECK(uut.core.read(++uut.token, request, uut.now) == errc::overloaded);
  request.set_user(2);
  CHECK_FALSE(uut.core.read(++uut.token, request, uut.now));
}

TEST_CASE("fanout_core: so do those that wait for texts", "[actors][fanout]") {
  auto options = alone();
  options.reads_max = 64;
  shard uut{options};
  uut.world.follow(1, 9);
  uut.start();
  uut.world.post(9);
  uut.publish(tweets);
  REQUIRE(uut.shown(uut.read(1)));
  uut.held = is<GetTweetsRequest>;
  for (std::uint32_t i = 0; i < options.reads_max / 8; ++i)
    static_cast<void>(uut.read(1, false));
  HomeTimelineRequest request;
  request.set_user(1);
  CHECK(uut.core.read(++uut.token, request, uut.now) == errc::overloaded);
  uut.release();
  CHECK_FALSE(uut.core.read(++uut.token, request, uut.now));
}

TEST_CASE(
    "fanout_core: whoever is followed while a timeline is built waits for "
    "one question more",
    "[actors][fanout]") {
  shard uut;
  uut.world.follow(1, 9);
  uut.start();
  uut.held = is<PullRequest>;
  const auto read = uut.read(1);
  ids all{uut.world.post(9)};
  uut.publish(tweets);
  for (user_id author = 100; author < 150; ++author) {
    all.insert(all.begin(), uut.world.post(author));
    uut.publish(tweets, all.size());
    uut.world.follow(1, author);
    uut.publish(follows, all.size());
  }
  CHECK(uut.waiting.size() == 1);
  for (auto& x : std::exchange(uut.waiting, {}))
    uut.respond(x);
  uut.settle();
  CHECK(uut.waiting.size() == 1);
  uut.release();
  CHECK(uut.shown(read) == all);
}
