// Goal: what a tweet partition accepts, and how it decides a commit group.
// Method: the core alone, without store, clock and actors.
#include "actors/tweet/tweet_core.hpp"

#include "actors/errc.hpp"
#include "actors/tweet/next_id.hpp"
#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace rookery;
using namespace rookery::actors;
using namespace service::v1;
using namespace std::chrono_literals;

namespace {

const store::time_point now{1'800'000'000s};

/// The whole service in one partition: every user belongs here.
const tweet_core core{0, 1};

PostTweetRequest post(user_id author, const std::string& text,
                      const std::string& key = "") {
  PostTweetRequest result;
  result.set_author(author);
  result.set_text(text);
  result.set_idempotency_key(key);
  return result;
}

DeleteTweetRequest deletion(user_id author, tweet_id id,
                            const std::string& key = "") {
  DeleteTweetRequest result;
  result.set_author(author);
  result.set_tweet_id(id);
  result.set_idempotency_key(key);
  return result;
}

template <class... Requests>
std::vector<tweet_request> accepted(const Requests&... requests) {
  return {*core.accept(requests)...};
}

/// A group decided with these known tweets, and what it wrote about keys.
struct decided {
  decided(std::vector<tweet_request> group, tweet_authors known = {},
          tweet_id last_id = 0) {
    store::key_ledger keys{{}};
    plan = core.plan(group, last_id, std::move(known), keys, now);
    fresh = keys.take_fresh();
  }
  const LogRow& row(int i) const { return plan.changes.batch.rows(i); }
  int rows() const { return plan.changes.batch.rows_size(); }

  store::group_plan plan;
  std::vector<store::used_key> fresh;
};

user_id user_of(std::uint32_t index, std::uint32_t count) {
  user_id user = 0;
  while (partition_of(user, count) != index)
    ++user;
  return user;
}

} // namespace

TEST_CASE("tweet_core: posts get rising ids and a row each", "[tweet]") {
  auto request = post(7, "one");
  request.set_intended_at_us(123);
  decided x{accepted(request, post(UINT64_MAX, "two"))};
  REQUIRE(x.plan.answers.size() == 2);
  CHECK(*x.plan.answers[1] > *x.plan.answers[0]);
  REQUIRE(x.rows() == 2);
  CHECK(x.row(0).kind() == LogRow::POSTED);
  CHECK(x.row(0).user() == 7);
  CHECK(x.row(0).subject() == *x.plan.answers[0]);
  CHECK(x.row(0).intended_at_us() == 123);
  CHECK(x.row(1).user() == UINT64_MAX);
  CHECK(x.row(1).intended_at_us() == 0);
  CHECK(x.plan.changes.texts == std::vector<std::string>{"one", "two"});
  CHECK(x.plan.changes.last_id == *x.plan.answers[1]);
}

TEST_CASE("tweet_core: ids are above the last one of the log", "[tweet]") {
  auto future = next_id(0, 0, now + 1h);
  decided x{accepted(post(7, "one")), {}, future};
  CHECK(x.plan.answers[0] == future + 1);
}

TEST_CASE("tweet_core: a group without posts keeps the last id", "[tweet]") {
  decided x{accepted(deletion(7, 10)), {}, 99};
  CHECK(x.plan.changes.last_id == 99);
}

TEST_CASE("tweet_core: deletes what exists and belongs to its author",
          "[tweet]") {
  decided x{accepted(deletion(7, 10), deletion(7, 11), deletion(8, 12)),
            {{10, 7}, {12, 7}}};
  CHECK(x.plan.answers[0] == 1u);
  CHECK(x.plan.answers[1] == 0u);
  CHECK(x.plan.answers[2] == errc::not_author);
  REQUIRE(x.rows() == 1);
  CHECK(x.row(0).kind() == LogRow::DELETED);
  CHECK(x.row(0).user() == 7);
  CHECK(x.row(0).subject() == 10);
}

TEST_CASE("tweet_core: a tweet is deleted once in a group", "[tweet]") {
  decided x{accepted(deletion(7, 10), deletion(7, 10)), {{10, 7}}};
  CHECK(x.plan.answers[0] == 1u);
  CHECK(x.plan.answers[1] == 0u);
  CHECK(x.rows() == 1);
}

TEST_CASE("tweet_core: a key posts once in a group", "[tweet]") {
  auto first = post(7, "one", "k");
  auto again = first;
  again.set_intended_at_us(5); // when it was meant is not what it says
  decided x{accepted(first, again, post(7, "two", "k"), deletion(7, 1, "k"))};
  CHECK(x.plan.answers[1] == *x.plan.answers[0]);
  CHECK(x.plan.answers[2] == errc::key_conflict);
  CHECK(x.plan.answers[3] == errc::key_conflict);
  CHECK(x.rows() == 1);
  REQUIRE(x.fresh.size() == 1);
  CHECK(x.fresh[0].answer == *x.plan.answers[0]);
}

TEST_CASE("tweet_core: a key of a deletion repeats its answer", "[tweet]") {
  decided x{accepted(deletion(7, 10, "k"), deletion(7, 10, "k")), {{10, 7}}};
  CHECK(x.plan.answers[0] == 1u);
  CHECK(x.plan.answers[1] == 1u);
}

TEST_CASE("tweet_core: refuses users of another partition", "[tweet]") {
  tweet_core here{1, 2};
  auto ours = user_of(1, 2), theirs = user_of(0, 2);
  CHECK(here.accept(post(ours, "x")));
  CHECK(here.accept(post(theirs, "x")) == errc::wrong_partition);
  CHECK(here.accept(deletion(theirs, 1)) == errc::wrong_partition);
  UserTimelineRequest timeline;
  timeline.set_user(theirs);
  CHECK(here.check(timeline) == errc::wrong_partition);
  PullRequest pull;
  pull.set_limit(1);
  pull.add_authors(ours);
  CHECK(here.check(pull) == caf::none);
  pull.add_authors(theirs);
  CHECK(here.check(pull) == errc::wrong_partition);
}

TEST_CASE("tweet_core: refuses texts and keys out of bounds", "[tweet]") {
  CHECK(core.accept(post(1, "")) == errc::text_empty);
  CHECK(core.accept(post(1, "\xFF")) == errc::invalid_utf8);
  CHECK(core.accept(post(1, std::string(281, 'x'))) == errc::text_too_long);
  CHECK(core.accept(post(1, "x", std::string(64, 'k'))));
  auto key = std::string(65, 'k');
  CHECK(core.accept(post(1, "x", key)) == errc::key_too_long);
  CHECK(core.accept(deletion(1, 1, key)) == errc::key_too_long);
}

TEST_CASE("tweet_core: refuses limits out of bounds", "[tweet]") {
  UserTimelineRequest timeline;
  CHECK(core.check(timeline) == caf::none); // 0 is the default
  timeline.set_limit(200);
  CHECK(core.check(timeline) == caf::none);
  timeline.set_limit(201);
  CHECK(core.check(timeline) == errc::invalid_argument);
  CHECK(caf::to_string(core.check(timeline))
            .find("limit is 201, allowed are 0..200")
        != std::string::npos);
  GetTweetsRequest tweets;
  for (int i = 0; i < 200; ++i)
    tweets.add_ids(1);
  CHECK(core.check(tweets) == caf::none);
  tweets.add_ids(1);
  CHECK(core.check(tweets) == errc::invalid_argument);
  PullRequest pull;
  CHECK(core.check(pull) == errc::invalid_argument);
  pull.set_limit(10'000);
  CHECK(core.check(pull) == caf::none);
  pull.set_limit(10'001);
  CHECK(core.check(pull) == errc::invalid_argument);
  pull.set_limit(1);
  for (int i = 0; i < 5'001; ++i)
    pull.add_authors(1);
  CHECK(core.check(pull) == errc::invalid_argument);
}

TEST_CASE("tweet_core: the greatest group stays below 64 KiB", "[tweet]") {
  LogBatch batch;
  batch.set_log("tweet/1023");
  batch.set_first_seq(INT64_MAX);
  for (std::size_t i = 0; i < store::group_rows_max; ++i) {
    auto& row = *batch.add_rows();
    row.set_kind(LogRow::UNFOLLOWED);
    row.set_user(UINT64_MAX);
    row.set_subject(UINT64_MAX);
    row.set_intended_at_us(UINT64_MAX);
  }
  CHECK(batch.ByteSizeLong() <= 64 * 1024);
}
