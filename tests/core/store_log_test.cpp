// Goal: a log has one writer, dense seqs, and groups that are whole or absent.
// Method: two store objects on one database stand for two processes; a crash
// is a copy of the files with the write-ahead log cut off at some byte.
#include "actors/errc.hpp"
#include "actors/store/tweet_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace rookery;
using namespace rookery::store;
using namespace std::chrono_literals;
using rookery::actors::errc;
using service::v1::LogRow;
namespace fs = std::filesystem;

namespace {

const std::string log0 = "tweet/0";
const time_point day{std::chrono::hours{24 * 20'000}};

std::shared_ptr<tweet_store> open(const fs::path& directory) {
  auto result = tweet_store::open({directory, 2, {.busy_timeout = 0ms}});
  REQUIRE(result);
  return *result;
}

ownership own(const std::shared_ptr<tweet_store>& store,
              const std::string& log = log0) {
  auto result = store->take_over(log);
  REQUIRE(result);
  return *result;
}

/// Posts of user 5 with these ids.
log_changes posts(std::vector<actors::tweet_id> ids) {
  log_changes result;
  for (auto id : ids) {
    auto& row = *result.batch.add_rows();
    row.set_kind(LogRow::POSTED);
    row.set_user(5);
    row.set_subject(id);
    result.texts.push_back("text of " + std::to_string(id));
    result.last_id = id;
  }
  result.now = day;
  return result;
}

log_changes with_key(log_changes changes, const std::string& key,
                     std::uint64_t answer, time_point now = day) {
  changes.keys.push_back({key, 77, answer});
  changes.now = now;
  return changes;
}

caf::error commit(tweet_store& store, ownership& owner, log_changes changes) {
  return store.commit(owner, changes);
}

std::vector<actors::tweet_id> subjects(tweet_store& store,
                                       std::uint64_t after = 0,
                                       std::uint32_t rows_max = 1000) {
  auto batch = store.read_log(log0, after, rows_max);
  REQUIRE(batch);
  std::vector<actors::tweet_id> result;
  for (auto& row : batch->rows())
    result.push_back(row.subject());
  return result;
}

using ids = std::vector<actors::tweet_id>;

} // namespace

TEST_CASE("log: seq starts at 1 and is dense over groups", "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto owner = own(store);
  auto first = posts({10, 11, 12});
  REQUIRE(store->commit(owner, first) == caf::none);
  CHECK(first.batch.log() == log0);
  CHECK(first.batch.first_seq() == 1);
  auto second = posts({13});
  REQUIRE(store->commit(owner, second) == caf::none);
  CHECK(second.batch.first_seq() == 4);
  CHECK(owner.seq == 4);
  CHECK(store->head(log0) == 4u);
  CHECK(subjects(*store) == ids{10, 11, 12, 13});
}

TEST_CASE("log: the logs of a store count on their own", "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto zero = own(store);
  auto one = own(store, "tweet/1");
  REQUIRE(commit(*store, zero, posts({10, 11})) == caf::none);
  REQUIRE(commit(*store, one, posts({12})) == caf::none);
  CHECK(store->head(log0) == 2u);
  CHECK(store->head("tweet/1") == 1u);
}

TEST_CASE("log: is read after a seq, a bounded part at a time",
          "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto owner = own(store);
  REQUIRE(commit(*store, owner, posts({10, 11, 12, 13})) == caf::none);
  CHECK(subjects(*store, 1, 2) == ids{11, 12});
  CHECK(subjects(*store, 4).empty());
  CHECK(subjects(*store, UINT64_MAX).empty());
  auto batch = store->read_log(log0, 2, 1);
  REQUIRE(batch);
  CHECK(batch->first_seq() == 3);
  CHECK(batch->rows(0).kind() == LogRow::POSTED);
  CHECK(batch->rows(0).user() == 5);
}

TEST_CASE("log: a take-over goes on where the last writer stopped",
          "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto owner = own(store);
  REQUIRE(commit(*store, owner, posts({10, 11})) == caf::none);
  auto next = own(open(temp.path()));
  CHECK(next.seq == 2);
  CHECK(next.last_id == 11);
  CHECK(next.incarnation > owner.incarnation);
  CHECK(store->take_over("tweet/9") == errc::unknown_log);
}

TEST_CASE("log: a writer that was taken over from is fenced", "[store][log]") {
  temp_directory temp;
  auto old_store = open(temp.path());
  auto new_store = open(temp.path());
  auto old_owner = own(old_store);
  REQUIRE(commit(*old_store, old_owner, posts({10})) == caf::none);
  auto new_owner = own(new_store);
  auto late = with_key(posts({11, 12}), "key", 11);
  CHECK(old_store->commit(old_owner, late) == errc::fenced);
  CHECK(new_store->head(log0) == 1u);
  CHECK(new_store->authors(ids{10, 11, 12})->size() == 1);
  CHECK(new_store->known_keys(log0, std::vector<std::string>{"key"}, day)
            ->empty());
  REQUIRE(commit(*new_store, new_owner, posts({13})) == caf::none);
  CHECK(subjects(*new_store) == ids{10, 13});
}

TEST_CASE("log: a group that fails in its middle leaves nothing",
          "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto owner = own(store);
  REQUIRE(commit(*store, owner, posts({10})) == caf::none);
  // The second row reuses an id, which the database refuses.
  auto error = commit(*store, owner, with_key(posts({11, 10}), "key", 11));
  CHECK(error == errc::store_failed);
  CHECK(caf::to_string(error).find("UNIQUE constraint failed: tweets.id")
        != std::string::npos);
  CHECK(store->head(log0) == 1u);
  CHECK(owner.seq == 1);
  CHECK(store->authors(ids{11})->empty());
  CHECK(commit(*store, owner, posts({12})) == caf::none);
  CHECK(subjects(*store) == ids{10, 12});
}

TEST_CASE("log: a writer waits for another only so long", "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path()); // busy_timeout 0
  auto owner = own(store);
  auto other = database::open(temp.path() / "tweets.db", {});
  REQUIRE(other);
  transaction blocker{*other, transaction::kind::write};
  auto error = commit(*store, owner, posts({10}));
  CHECK(error == errc::store_failed);
  CHECK(caf::to_string(error).find("database is locked") != std::string::npos);
  CHECK(store->head(log0) == 0u); // readers never wait
}

TEST_CASE("log: a key is known for seven days, in its log alone",
          "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto owner = own(store);
  REQUIRE(commit(*store, owner, with_key(posts({10}), "k", 10)) == caf::none);
  std::vector<std::string> asked{"k", "unknown"};
  auto known = store->known_keys(log0, asked, day + 7 * 24h - 1s);
  REQUIRE(known->size() == 1);
  CHECK(known->front().key == "k");
  CHECK(known->front().fingerprint == 77);
  CHECK(known->front().answer == 10);
  CHECK(store->known_keys(log0, asked, day + 7 * 24h)->empty());
  CHECK(store->known_keys("tweet/1", asked, day)->empty());
}

TEST_CASE("log: an old key may be used again", "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto owner = own(store);
  REQUIRE(commit(*store, owner, with_key(posts({10}), "k", 10)) == caf::none);
  auto later = day + 8 * 24h;
  REQUIRE(commit(*store, owner, with_key(posts({11}), "k", 11, later))
          == caf::none);
  auto known = store->known_keys(log0, std::vector<std::string>{"k"}, later);
  REQUIRE(known->size() == 1);
  CHECK(known->front().answer == 11);
}

TEST_CASE("log: old keys are forgotten a bounded number at a time",
          "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto owner = own(store);
  for (int i = 0; i < 5; ++i)
    REQUIRE(commit(*store, owner, with_key({}, "old" + std::to_string(i), 1))
            == caf::none);
  auto later = day + 7 * 24h;
  REQUIRE(commit(*store, owner, with_key({}, "young", 1, later)) == caf::none);
  CHECK(store->purge_keys(owner, day, 100) == 0u);
  CHECK(store->purge_keys(owner, later, 3) == 3u);
  CHECK(store->purge_keys(owner, later, 3) == 2u);
  CHECK(store->purge_keys(owner, later, 3) == 0u);
  std::vector<std::string> young{"young"};
  CHECK(store->known_keys(log0, young, later)->size() == 1);
}

TEST_CASE("log: who takes a log over learns when its newest key was used",
          "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto owner = own(store);
  CHECK_FALSE(owner.newest_key);
  auto later = day + 2 * 24h;
  REQUIRE(commit(*store, owner, with_key({}, "new", 1, later)) == caf::none);
  REQUIRE(commit(*store, owner, with_key({}, "old", 1)) == caf::none);
  CHECK(own(store).newest_key == later);
  CHECK_FALSE(store->take_over("tweet/1")->newest_key);
}

TEST_CASE("log: who was taken over from forgets no keys", "[store][log]") {
  temp_directory temp;
  auto store = open(temp.path());
  auto old_owner = own(store);
  REQUIRE(commit(*store, old_owner, with_key({}, "k", 1)) == caf::none);
  auto owner = own(store);
  CHECK(store->purge_keys(old_owner, day + 8 * 24h, 10) == 0u);
  CHECK(store->purge_keys(owner, day + 8 * 24h, 10) == 1u);
}

TEST_CASE("log: after a crash a group is there whole or not at all",
          "[store][log]") {
  temp_directory temp;
  auto live = temp.path() / "live";
  auto store = open(live);
  auto owner = own(store);
  REQUIRE(commit(*store, owner, posts({10, 11, 12})) == caf::none);
  auto before = fs::file_size(live / "tweets.db-wal");
  REQUIRE(commit(*store, owner, with_key(posts({13, 14, 15, 16}), "k", 13))
          == caf::none);
  auto after = fs::file_size(live / "tweets.db-wal");
  REQUIRE(after > before);
  auto crashed = temp.path() / "crashed";
  fs::create_directory(crashed);
  bool seen_absent = false, seen_whole = false;
  for (auto size = before; size <= after;
       size = size == after ? size + 1 : std::min(size + 509, after)) {
    fs::remove(crashed / "tweets.db-shm");
    for (auto file : {"tweets.db", "tweets.db-wal"})
      fs::copy(live / file, crashed / file,
               fs::copy_options::overwrite_existing);
    fs::resize_file(crashed / "tweets.db-wal", size);
    auto recovered = open(crashed);
    auto head = recovered->head(log0);
    auto whole = head == 7u;
    CHECK((whole || head == 3u));
    CHECK(subjects(*recovered).size() == *head);
    CHECK(recovered->authors(ids{13, 14, 15, 16})->size() == (whole ? 4 : 0));
    CHECK(
        recovered->known_keys(log0, std::vector<std::string>{"k"}, day)->size()
        == (whole ? 1 : 0));
    seen_whole |= whole;
    seen_absent |= !whole;
  }
  CHECK(seen_absent);
  CHECK(seen_whole);
}

TEST_CASE("log: writers of different logs take turns on one file",
          "[store][log]") {
  temp_directory temp;
  constexpr int groups = 50;
  caf::error errors[2];
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 2; ++i)
      writers.emplace_back([&, i] {
        auto store = tweet_store::open({temp.path(), 2, {}});
        auto owner = (*store)->take_over("tweet/" + std::to_string(i));
        for (actors::tweet_id id = 1; id <= groups && !errors[i]; ++id)
          errors[i] = commit(**store, *owner,
                             posts({2 * id + static_cast<unsigned>(i)}));
      });
  }
  CHECK(errors[0] == caf::none);
  CHECK(errors[1] == caf::none);
  auto store = open(temp.path());
  CHECK(store->head("tweet/0") == std::uint64_t{groups});
  CHECK(store->head("tweet/1") == std::uint64_t{groups});
}
