// Goal: the tweet actor answers after the commit, commits in groups, and
// publishes its log once and in order.
// Method: the actor over a real store, in virtual time; what it publishes
// goes to a recorder; a second actor on the same file is the other process.
#include "actors/tweet/tweet.hpp"

#include "actors/errc.hpp"
#include "actors/tweet/next_id.hpp"
#include "testing/test_system.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include <memory>
#include <string>
#include <vector>

using namespace rookery;
using namespace rookery::actors;
using namespace service::v1;
using namespace std::chrono_literals;
using testing::answer;
using testing::recorder;
using testing::test_system;

namespace {

PostTweetRequest post(user_id author, const std::string& text,
                      const std::string& key = "") {
  PostTweetRequest result;
  result.set_author(author);
  result.set_text(text);
  result.set_idempotency_key(key);
  return result;
}

DeleteTweetRequest deletion(user_id author, tweet_id id) {
  DeleteTweetRequest result;
  result.set_author(author);
  result.set_tweet_id(id);
  return result;
}

UserTimelineRequest timeline(user_id user, std::uint32_t limit = 0) {
  UserTimelineRequest result;
  result.set_user(user);
  result.set_limit(limit);
  return result;
}

HeadRequest head_of(const std::string& log) {
  HeadRequest result;
  result.set_log(log);
  return result;
}

/// The writer of the only partition.
struct fixture {
  fixture() : writer(spawn(published)) {}

  tweet_actor spawn(const recorder<LogBatch, LogHead>& publisher) {
    auto store =
        store::tweet_store::open({temp.path(), 1, {.busy_timeout = 0ms}});
    REQUIRE(store);
    store::writer_options from{publisher.handle(), wall(), steady()};
    return t.spawn(tweet, tweet_options{*store, 0, 1, from});
  }

  /// Virtual time, and what a wall makes of it.
  std::function<std::chrono::steady_clock::time_point()> steady() const {
    return [this] {
      return std::chrono::steady_clock::time_point{t.now().time_since_epoch()};
    };
  }
  std::function<store::time_point()> wall() const {
    return [this] { return t.now() + wall_error; };
  }

  std::uint64_t keys() const {
    auto db = store::database::open(temp.path() / "tweets.db", {});
    auto select = db->prepare("SELECT count(*) FROM idempotency_keys");
    auto rows = select.run();
    REQUIRE(rows.next());
    return rows.number(0);
  }

  const std::vector<LogBatch>& batches() const {
    return published.seen<LogBatch>();
  }
  const std::vector<LogHead>& heads() const {
    return published.seen<LogHead>();
  }

  temp_directory temp;
  test_system t;
  std::chrono::hours wall_error{0};
  recorder<LogBatch, LogHead> published = t.spawn_recorder<LogBatch, LogHead>();
  tweet_actor writer;
};

} // namespace

TEST_CASE("tweet: what is answered is readable and published", "[tweet]") {
  fixture s;
  auto request = post(7, "hello");
  request.set_intended_at_us(123);
  auto posted = s.t.ask<PostTweetReply>(s.writer, request);
  REQUIRE(posted);
  auto tweets = s.t.ask<Tweets>(s.writer, timeline(7));
  REQUIRE(tweets);
  REQUIRE(tweets->tweets_size() == 1);
  CHECK(tweets->tweets(0).id() == posted->tweet_id());
  CHECK(tweets->tweets(0).author() == 7);
  CHECK(tweets->tweets(0).text() == "hello");
  REQUIRE(s.batches().size() == 1);
  auto& batch = s.batches()[0];
  CHECK(batch.log() == "tweet/0");
  CHECK(batch.first_seq() == 1);
  REQUIRE(batch.rows_size() == 1);
  CHECK(batch.rows(0).kind() == LogRow::POSTED);
  CHECK(batch.rows(0).user() == 7);
  CHECK(batch.rows(0).subject() == posted->tweet_id());
  CHECK(batch.rows(0).intended_at_us() == 123);
}

TEST_CASE("tweet: what waits in the mailbox is one group and one batch",
          "[tweet]") {
  fixture s;
  std::vector<answer<PostTweetReply>> answers;
  for (int i = 0; i < 50; ++i)
    answers.push_back(
        s.t.start<PostTweetReply>(s.writer, post(7, std::to_string(i))));
  s.t.run();
  REQUIRE(s.batches().size() == 1);
  REQUIRE(s.batches()[0].rows_size() == 50);
  for (int i = 0; i < 50; ++i) {
    auto& reply = answers[static_cast<std::size_t>(i)].get();
    REQUIRE(reply);
    CHECK(reply->tweet_id() == s.batches()[0].rows(i).subject());
  }
}

TEST_CASE("tweet: groups are bounded, and seq is dense over them", "[tweet]") {
  fixture s;
  std::vector<answer<PostTweetReply>> answers;
  for (int i = 0; i < 2500; ++i)
    answers.push_back(s.t.start<PostTweetReply>(s.writer, post(7, "x")));
  s.t.run();
  std::uint64_t next_seq = 1;
  tweet_id last = 0;
  for (auto& batch : s.batches()) {
    CHECK(batch.first_seq() == next_seq);
    CHECK(batch.rows_size() <= 1000);
    CHECK(batch.ByteSizeLong() <= 64 * 1024);
    next_seq += static_cast<std::uint64_t>(batch.rows_size());
    for (auto& row : batch.rows()) {
      CHECK(row.subject() > last);
      last = row.subject();
    }
  }
  CHECK(s.batches().size() == 3);
  CHECK(next_seq == 2501);
  for (auto& x : answers)
    CHECK(x.get());
}

TEST_CASE("tweet: the published log equals the log read back", "[tweet]") {
  fixture s;
  for (int i = 0; i < 5; ++i)
    REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "x")));
  ReadLogRequest request;
  request.set_log("tweet/0");
  request.set_after_seq(2);
  request.set_rows_max(2);
  auto batch = s.t.ask<LogBatch>(s.writer, request);
  REQUIRE(batch);
  CHECK(batch->first_seq() == 3);
  REQUIRE(batch->rows_size() == 2);
  for (int i = 0; i < 2; ++i)
    CHECK(batch->rows(i).SerializeAsString()
          == s.batches()[static_cast<std::size_t>(i) + 2]
                 .rows(0)
                 .SerializeAsString());
  request.set_after_seq(5);
  CHECK(s.t.ask<LogBatch>(s.writer, request)->rows().empty());
  request.set_rows_max(1001);
  CHECK(s.t.ask<LogBatch>(s.writer, request) == errc::invalid_argument);
  request.set_log("tweet/1");
  CHECK(s.t.ask<LogBatch>(s.writer, request) == errc::unknown_log);
}

TEST_CASE("tweet: deletes once, and only its author's", "[tweet]") {
  fixture s;
  auto id = s.t.ask<PostTweetReply>(s.writer, post(7, "x"))->tweet_id();
  CHECK(s.t.ask<DeleteTweetReply>(s.writer, deletion(8, id))
        == errc::not_author);
  CHECK(s.t.ask<DeleteTweetReply>(s.writer, deletion(7, id))->existed());
  CHECK_FALSE(s.t.ask<DeleteTweetReply>(s.writer, deletion(7, id))->existed());
  CHECK(s.t.ask<Tweets>(s.writer, timeline(7))->tweets().empty());
  REQUIRE(s.batches().size() == 2); // nothing happened, nothing to publish
  CHECK(s.batches()[1].rows(0).kind() == LogRow::DELETED);
  CHECK(s.batches()[1].rows(0).subject() == id);
}

TEST_CASE("tweet: one bad request does not spoil its group", "[tweet]") {
  fixture s;
  auto good = s.t.start<PostTweetReply>(s.writer, post(7, "good"));
  auto bad = s.t.start<PostTweetReply>(s.writer, post(7, "\xED\xA0\x80"));
  auto not_mine = s.t.start<DeleteTweetReply>(s.writer, deletion(7, 99));
  auto also_good = s.t.start<PostTweetReply>(s.writer, post(7, "good"));
  s.t.run();
  CHECK(good.get());
  CHECK(bad.get() == errc::invalid_utf8);
  CHECK_FALSE(not_mine.get()->existed());
  CHECK(also_good.get());
  CHECK(s.batches().size() == 1);
}

TEST_CASE("tweet: a key has one answer, within a group and for seven days",
          "[tweet]") {
  fixture s;
  auto first = s.t.start<PostTweetReply>(s.writer, post(7, "x", "k"));
  auto second = s.t.start<PostTweetReply>(s.writer, post(7, "x", "k"));
  s.t.run();
  auto id = first.get()->tweet_id();
  CHECK(second.get()->tweet_id() == id);
  s.t.advance_time(7 * 24h - 1s, 1h);
  CHECK(s.t.ask<PostTweetReply>(s.writer, post(7, "x", "k"))->tweet_id() == id);
  CHECK(s.t.ask<PostTweetReply>(s.writer, post(7, "y", "k"))
        == errc::key_conflict);
  CHECK(s.batches().size() == 1);
  s.t.advance_time(1s);
  CHECK(s.t.ask<PostTweetReply>(s.writer, post(7, "x", "k"))->tweet_id() > id);
}

TEST_CASE("tweet: a key outlives its writer", "[tweet]") {
  fixture s;
  auto id = s.t.ask<PostTweetReply>(s.writer, post(7, "x", "k"))->tweet_id();
  auto other = s.spawn(s.published);
  auto again = s.t.ask<PostTweetReply>(other, post(7, "x", "k"));
  REQUIRE(again);
  CHECK(again->tweet_id() == id);
}

TEST_CASE("tweet: ids rise over a change of writer with a slow clock",
          "[tweet]") {
  fixture s;
  s.t.advance_time(1h, 1min);
  auto id = s.t.ask<PostTweetReply>(s.writer, post(7, "x"))->tweet_id();
  auto store = store::tweet_store::open({s.temp.path(), 1, {}});
  REQUIRE(store);
  auto slow = [now = s.t.now() - 2h] { return now; };
  auto other =
      s.t.spawn(tweet, tweet_options{*store, 0, 1, {caf::actor{}, slow}});
  CHECK(s.t.ask<PostTweetReply>(other, post(7, "x"))->tweet_id() == id + 1);
}

TEST_CASE("tweet: publishes its head every second", "[tweet]") {
  fixture s;
  s.t.advance_time(3500ms);
  REQUIRE(s.heads().size() == 3);
  CHECK(s.heads()[0].log() == "tweet/0");
  CHECK(s.heads()[0].seq() == 0);
  REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "x")));
  s.t.advance_time(500ms);
  REQUIRE(s.heads().size() == 4);
  CHECK(s.heads()[3].seq() == 1);
}

TEST_CASE("tweet: publishes its head when told to", "[tweet]") {
  fixture s;
  REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "x")));
  s.t.tell(s.writer, store::publish_head_atom::value);
  s.t.run();
  REQUIRE(s.heads().size() == 1);
  CHECK(s.heads()[0].seq() == 1);
  CHECK(s.t.ask<LogHead>(s.writer, head_of("tweet/0"))->seq() == 1);
  CHECK(s.t.ask<LogHead>(s.writer, head_of("follow/0")) == errc::unknown_log);
}

TEST_CASE("tweet: forgets old keys while time passes", "[tweet]") {
  fixture s;
  REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "x", "k")));
  CHECK(s.keys() == 1);
  s.t.advance_time(7 * 24h + 1min, 1h);
  CHECK(s.keys() == 0);
}

TEST_CASE("tweet: a wall clock that is wrong makes no key old", "[tweet]") {
  fixture s;
  auto id = s.t.ask<PostTweetReply>(s.writer, post(7, "x", "k"))->tweet_id();
  for (auto error : {30 * 24h, -30 * 24h, 0 * 24h}) {
    s.wall_error = error;
    s.t.advance_time(1min, 1s);
    REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "y")));
    auto again = s.t.ask<PostTweetReply>(s.writer, post(7, "x", "k"));
    REQUIRE(again);
    CHECK(again->tweet_id() == id);
  }
}

TEST_CASE("tweet: keys of a wall clock that was behind live as long",
          "[tweet]") {
  fixture s;
  REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "x", "first")));
  s.wall_error = -6 * 24h;
  auto other = s.spawn(s.published);
  auto id = s.t.ask<PostTweetReply>(other, post(7, "x", "k"))->tweet_id();
  s.wall_error = 0h;
  auto third = s.spawn(s.published);
  REQUIRE(s.t.ask<PostTweetReply>(third, post(7, "y")));
  s.t.advance_time(2 * 24h, 1h);
  auto again = s.t.ask<PostTweetReply>(third, post(7, "x", "k"));
  REQUIRE(again);
  CHECK(again->tweet_id() == id);
}

TEST_CASE("tweet: a standby whose wall clock is ahead forgets no keys",
          "[tweet]") {
  fixture s;
  REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "x", "k")));
  s.wall_error = 30 * 24h;
  auto standby = s.spawn(s.published);
  s.t.advance_time(1min, 1s);
  CHECK(s.keys() == 1);
}

TEST_CASE("tweet: a fenced writer changes and answers nothing, and ends",
          "[tweet]") {
  fixture s;
  REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "first")));
  auto other_published = s.t.spawn_recorder<LogBatch, LogHead>();
  auto other = s.spawn(other_published);
  REQUIRE(s.t.ask<PostTweetReply>(other, post(7, "second")));
  caf::error reason;
  caf::actor_cast<caf::actor>(s.writer)->attach_functor(
      [&](const caf::error& why) { reason = why; });
  auto late = s.t.start<PostTweetReply>(s.writer, post(7, "late"));
  auto later = s.t.start<PostTweetReply>(s.writer, post(7, "later", "k"));
  s.t.run();
  CHECK(late.get() == caf::sec::request_receiver_down);
  CHECK(later.get() == caf::sec::request_receiver_down);
  CHECK(reason == errc::fenced);
  CHECK(s.batches().size() == 1);
  CHECK(s.t.ask<PostTweetReply>(s.writer, post(7, "x"))
        == caf::sec::request_receiver_down);
  CHECK(s.t.ask<Tweets>(other, timeline(7))->tweets_size() == 2);
  REQUIRE(s.t.ask<PostTweetReply>(other, post(7, "third")));
  CHECK(other_published.seen<LogBatch>()[1].first_seq() == 3);
}

TEST_CASE("tweet: a standby that starts does not fence the active one",
          "[tweet]") {
  fixture s;
  REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "x")));
  auto standby = s.spawn(s.published);
  s.t.advance_time(5s);
  CHECK(s.t.ask<Tweets>(standby, timeline(7))->tweets_size() == 1);
  CHECK(s.t.ask<PostTweetReply>(s.writer, post(7, "y")));
}

TEST_CASE("tweet: a store that fails costs the group, not the actor",
          "[tweet]") {
  fixture s;
  REQUIRE(s.t.ask<PostTweetReply>(s.writer, post(7, "before")));
  auto db = store::database::open(s.temp.path() / "tweets.db", {});
  REQUIRE(db);
  {
    store::transaction blocker{*db, store::transaction::kind::write};
    auto one = s.t.start<PostTweetReply>(s.writer, post(7, "one", "k"));
    auto two = s.t.start<PostTweetReply>(s.writer, post(7, "two"));
    s.t.run();
    CHECK(one.get() == errc::store_failed);
    CHECK(two.get() == errc::store_failed);
    CHECK(s.batches().size() == 1);
    CHECK(s.t.ask<Tweets>(s.writer, timeline(7))->tweets_size() == 1);
  }
  CHECK(s.t.ask<PostTweetReply>(s.writer, post(7, "one", "k")));
  REQUIRE(s.batches().size() == 2);
  CHECK(s.batches()[1].first_seq() == 2);
}

TEST_CASE("tweet: nobody waits for an actor that ended", "[tweet]") {
  fixture s;
  s.t.run();
  auto waits = s.t.start<PostTweetReply>(s.writer, post(7, "in the group"));
  caf::anon_send_exit(s.writer, caf::exit_reason::user_shutdown);
  auto unread = s.t.start<PostTweetReply>(s.writer, post(7, "in the mailbox"));
  s.t.run(); // the commit stands behind the exit
  CHECK(waits.get() == caf::sec::request_receiver_down);
  CHECK(unread.get() == caf::sec::request_receiver_down);
  CHECK(s.batches().empty());
}

TEST_CASE("tweet: reads are bounded and default to twenty", "[tweet]") {
  fixture s;
  for (int i = 0; i < 30; ++i)
    s.t.start<PostTweetReply>(s.writer, post(7, std::to_string(i)));
  s.t.run();
  CHECK(s.t.ask<Tweets>(s.writer, timeline(7))->tweets_size() == 20);
  auto all = s.t.ask<Tweets>(s.writer, timeline(7, 200));
  REQUIRE(all->tweets_size() == 30);
  CHECK(all->tweets(0).text() == "29");
  CHECK(s.t.ask<Tweets>(s.writer, timeline(7, 201)) == errc::invalid_argument);
  auto bounded = timeline(7);
  bounded.set_max_id(all->tweets(10).id());
  bounded.set_since_id(all->tweets(13).id());
  auto part = s.t.ask<Tweets>(s.writer, bounded);
  REQUIRE(part->tweets_size() == 3);
  CHECK(part->tweets(0).text() == "19");
  bounded.set_max_id(0);
  CHECK(s.t.ask<Tweets>(s.writer, bounded)->tweets().empty());
}

TEST_CASE("tweet: gives texts and pulls for home timelines", "[tweet]") {
  fixture s;
  auto one = s.t.ask<PostTweetReply>(s.writer, post(1, "one"))->tweet_id();
  auto two = s.t.ask<PostTweetReply>(s.writer, post(2, "two"))->tweet_id();
  GetTweetsRequest get;
  for (auto id : {two, tweet_id{12345}, one})
    get.add_ids(id);
  auto tweets = s.t.ask<Tweets>(s.writer, get);
  REQUIRE(tweets->tweets_size() == 2);
  CHECK(tweets->tweets(0).text() == "two");
  CHECK(tweets->tweets(1).text() == "one");
  CHECK(s.t.ask<Tweets>(s.writer, GetTweetsRequest{})->tweets().empty());
  PullRequest pull;
  pull.add_authors(1);
  pull.add_authors(2);
  pull.set_limit(10);
  auto pulled = s.t.ask<PullReply>(s.writer, pull);
  REQUIRE(pulled->ids_size() == 2);
  CHECK(pulled->ids(0) == two);
  CHECK(pulled->ids(1) == one);
  CHECK(pulled->head() == 2);
  CHECK(pulled->log() == "tweet/0");
}
