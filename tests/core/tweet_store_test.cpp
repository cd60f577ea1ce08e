// Goal: reads of tweets: texts, user timelines, and pulls for home timelines.
// Method: a store in a temporary directory, filled through its log.
#include "actors/store/tweet_store.hpp"

#include "actors/errc.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace rookery;
using namespace rookery::store;
using rookery::actors::errc;
using rookery::actors::tweet_id;
using rookery::actors::user_id;
using service::v1::LogRow;

namespace {

constexpr user_id user_max = UINT64_MAX;

/// A store whose log "tweet/0" this test writes.
struct filled_store {
  filled_store() {
    auto opened = tweet_store::open({temp.path(), 1, {}});
    REQUIRE(opened);
    store = *opened;
    auto taken = store->take_over("tweet/0");
    REQUIRE(taken);
    owner = *taken;
  }

  void change(LogRow::Kind kind,
              const std::vector<std::pair<user_id, tweet_id>>& tweets,
              const std::string& text = "hello") {
    log_changes changes;
    for (auto [author, id] : tweets) {
      auto& row = *changes.batch.add_rows();
      row.set_kind(kind);
      row.set_user(author);
      row.set_subject(id);
      if (kind == LogRow::POSTED)
        changes.texts.push_back(text);
    }
    REQUIRE(store->commit(owner, changes) == caf::none);
  }

  std::vector<tweet_id> pull(std::vector<user_id> authors, tweet_id above,
                             std::uint32_t limit) {
    auto reply = store->pull("tweet/0", std::move(authors), above, limit);
    REQUIRE(reply);
    CHECK(reply->log() == "tweet/0");
    CHECK(reply->head() == owner.seq);
    return {reply->ids().begin(), reply->ids().end()};
  }

  std::vector<tweet_id> timeline(user_id user, tweet_id since, tweet_id max,
                                 std::uint32_t limit) {
    auto reply = store->user_timeline(user, since, max, limit);
    REQUIRE(reply);
    std::vector<tweet_id> result;
    for (auto& tweet : reply->tweets())
      result.push_back(tweet.id());
    return result;
  }

  temp_directory temp;
  std::shared_ptr<tweet_store> store;
  ownership owner;
};

using ids = std::vector<tweet_id>;

} // namespace

TEST_CASE("tweet_store: gives tweets in the order asked", "[store]") {
  filled_store t;
  t.change(LogRow::POSTED, {{1, 10}, {2, 20}, {user_max, 30}});
  auto tweets = t.store->tweets(ids{30, 99, 10, UINT64_MAX});
  REQUIRE(tweets);
  REQUIRE(tweets->tweets_size() == 2);
  CHECK(tweets->tweets(0).id() == 30);
  CHECK(tweets->tweets(0).author() == user_max);
  CHECK(tweets->tweets(0).text() == "hello");
  CHECK(tweets->tweets(1).id() == 10);
}

TEST_CASE("tweet_store: a deleted tweet is gone everywhere", "[store]") {
  filled_store t;
  t.change(LogRow::POSTED, {{1, 10}, {1, 20}});
  t.change(LogRow::DELETED, {{1, 10}});
  CHECK(t.store->tweets(ids{10})->tweets().empty());
  CHECK(t.store->authors(ids{10, 20})->size() == 1);
  CHECK(t.timeline(1, 0, UINT64_MAX, 10) == ids{20});
  CHECK(t.pull({1}, 0, 10) == ids{20});
}

TEST_CASE("tweet_store: keeps every text, also with a zero in it", "[store]") {
  filled_store t;
  std::string text{"a\0b \xF0\x9F\x90\xA6", 8};
  t.change(LogRow::POSTED, {{1, 10}}, text);
  CHECK(t.store->tweets(ids{10})->tweets(0).text() == text);
  CHECK(t.store->user_timeline(1, 0, 99, 1)->tweets(0).text() == text);
}

TEST_CASE("tweet_store: a user timeline is newest first, within its bounds",
          "[store]") {
  filled_store t;
  t.change(LogRow::POSTED, {{0, 10}, {1, 15}, {0, 20}, {0, 30}});
  CHECK(t.timeline(0, 0, UINT64_MAX, 10) == ids{30, 20, 10});
  CHECK(t.timeline(0, 0, UINT64_MAX, 2) == ids{30, 20});
  CHECK(t.timeline(0, 10, 20, 10) == ids{20});
  CHECK(t.timeline(0, UINT64_MAX, UINT64_MAX, 10).empty());
  CHECK(t.timeline(7, 0, UINT64_MAX, 10).empty());
}

TEST_CASE("tweet_store: a pull gives the newest ids of many authors",
          "[store]") {
  filled_store t;
  t.change(LogRow::POSTED, {{0, 10}, {user_max, 20}, {3, 30}, {0, 40}});
  CHECK(t.pull({0, user_max}, 0, 10) == ids{40, 20, 10});
  CHECK(t.pull({0, user_max}, 0, 2) == ids{40, 20});
  CHECK(t.pull({0, 0, 0}, 0, 10) == ids{40, 10});
  CHECK(t.pull({0, user_max, 3}, 20, 10) == ids{40, 30});
  CHECK(t.pull({0}, UINT64_MAX, 10).empty());
  CHECK(t.pull({}, 0, 10).empty());
  CHECK(t.store->pull("tweet/1", {0}, 0, 1) == errc::unknown_log);
}

TEST_CASE("tweet_store: a pull equals sorting everything", "[store]") {
  filled_store t;
  std::mt19937_64 random{20260101};
  std::vector<std::pair<user_id, tweet_id>> tweets;
  for (tweet_id id = 1; id <= 1000; ++id)
    tweets.emplace_back(random() % 40, id);
  t.change(LogRow::POSTED, tweets);
  for (int round = 0; round < 50; ++round) {
    std::vector<user_id> authors;
    for (auto count = random() % 20; count > 0; --count)
      authors.push_back(random() % 50);
    auto above = random() % 1000;
    auto limit = static_cast<std::uint32_t>(1 + random() % 100);
    ids expected;
    for (auto [author, id] : tweets)
      if (id > above
          && std::find(authors.begin(), authors.end(), author) != authors.end())
        expected.push_back(id);
    std::reverse(expected.begin(), expected.end());
    expected.resize(std::min<std::size_t>(expected.size(), limit));
    INFO("round " << round);
    CHECK(t.pull(authors, above, limit) == expected);
  }
}

TEST_CASE("tweet_store: other stores on the file see what is committed",
          "[store]") {
  filled_store t;
  auto reader = tweet_store::open({t.temp.path(), 1, {}});
  REQUIRE(reader);
  t.change(LogRow::POSTED, {{1, 10}});
  auto reply = (*reader)->pull("tweet/0", {1}, 0, 10);
  REQUIRE(reply);
  CHECK(reply->head() == 1);
  CHECK(reply->ids_size() == 1);
}
