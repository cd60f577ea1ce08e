// Goal: a store opens only what it understands, and says what is wrong.
// Method: real files in a temporary directory; foreign and future databases
// are made with the store's own `database`.
#include "actors/errc.hpp"
#include "actors/store/follow_store.hpp"
#include "actors/store/tweet_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

using namespace rookery;
using namespace rookery::store;
using rookery::actors::errc;
namespace fs = std::filesystem;

namespace {

store_options options_for(const fs::path& directory, std::uint32_t count) {
  return {directory, count, {.busy_timeout = std::chrono::milliseconds{200}}};
}

void run_sql(const fs::path& file, const std::string& sql) {
  auto db = database::open(file, {});
  REQUIRE(db);
  REQUIRE(db->execute(sql) == caf::none);
}

bool says(const caf::error& error, const std::string& words) {
  auto text = caf::to_string(error);
  INFO(text);
  CHECK(text.find(words) != std::string::npos);
  return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("store: makes its directory and opens again", "[store]") {
  temp_directory temp;
  auto directory = temp.path() / "a" / "b";
  REQUIRE(tweet_store::open(options_for(directory, 2)));
  REQUIRE(follow_store::open(options_for(directory, 8)));
  CHECK(fs::exists(directory / "tweets.db"));
  CHECK(fs::exists(directory / "follows.db"));
  CHECK(tweet_store::open(options_for(directory, 2)));
  CHECK(follow_store::open(options_for(directory, 8)));
}

TEST_CASE("store: a new store has an empty log for each partition", "[store]") {
  temp_directory temp;
  auto store = tweet_store::open(options_for(temp.path(), 2));
  REQUIRE(store);
  CHECK((*store)->head("tweet/0") == 0u);
  CHECK((*store)->head("tweet/1") == 0u);
  CHECK((*store)->head("tweet/2") == errc::unknown_log);
}

TEST_CASE("store: has a number of its own, which copies have, too", "[store]") {
  temp_directory temp;
  const auto open = [&](const char* name) {
    auto store = tweet_store::open(options_for(temp.path() / name, 2));
    REQUIRE(store);
    return (*store)->id();
  };
  const auto id = open("a");
  CHECK(open("a") == id);
  CHECK(open("b") != id);
  fs::create_directory(temp.path() / "copy");
  run_sql(temp.path() / "a" / "tweets.db",
          "VACUUM INTO '" + (temp.path() / "copy" / "tweets.db").string()
              + "'");
  CHECK(open("copy") == id);
}

TEST_CASE("store: one of an earlier build gets a number, and keeps it",
          "[store]") {
  temp_directory temp;
  const auto open = [&] {
    auto store = tweet_store::open(options_for(temp.path(), 2));
    REQUIRE(store);
    return (*store)->id();
  };
  const auto first = open();
  run_sql(temp.path() / "tweets.db", "DELETE FROM meta WHERE key = 'store_id'");
  const auto second = open();
  CHECK(second != first);
  CHECK(open() == second);
}

TEST_CASE("store: refuses a newer schema and names both versions", "[store]") {
  temp_directory temp;
  REQUIRE(tweet_store::open(options_for(temp.path(), 1)));
  run_sql(temp.path() / "tweets.db",
          "UPDATE meta SET value = 7 WHERE key = 'schema_version'");
  auto store = tweet_store::open(options_for(temp.path(), 1));
  REQUIRE_FALSE(store);
  CHECK(store == errc::store_mismatch);
  CHECK(says(store.error(), "schema_version is 7 in the store, wanted 1"));
  CHECK(says(store.error(), (temp.path() / "tweets.db").string()));
}

TEST_CASE("store: refuses another number of partitions or shards", "[store]") {
  temp_directory temp;
  REQUIRE(tweet_store::open(options_for(temp.path(), 2)));
  REQUIRE(follow_store::open(options_for(temp.path(), 8)));
  auto tweets = tweet_store::open(options_for(temp.path(), 4));
  CHECK(tweets == errc::store_mismatch);
  CHECK(says(tweets.error(), "partitions is 2 in the store, wanted 4"));
  auto follows = follow_store::open(options_for(temp.path(), 16));
  CHECK(follows == errc::store_mismatch);
  CHECK(says(follows.error(), "shards is 8 in the store, wanted 16"));
}

TEST_CASE("store: refuses the other kind of store", "[store]") {
  temp_directory temp;
  REQUIRE(follow_store::open(options_for(temp.path(), 2)));
  fs::copy(temp.path() / "follows.db", temp.path() / "tweets.db");
  auto store = tweet_store::open(options_for(temp.path(), 2));
  CHECK(store == errc::store_mismatch);
  CHECK(says(store.error(), "has no partitions"));
}

TEST_CASE("store: refuses a database of somebody else", "[store]") {
  temp_directory temp;
  run_sql(temp.path() / "tweets.db", "CREATE TABLE recipes(name TEXT)");
  auto store = tweet_store::open(options_for(temp.path(), 1));
  CHECK(store == errc::store_mismatch);
  CHECK(says(store.error(), "not a rookery store"));
}

TEST_CASE("store: names a file that is not a database", "[store]") {
  temp_directory temp;
  auto file = temp.path() / "tweets.db";
  std::ofstream{file} << std::string(4096, 'x');
  auto store = tweet_store::open(options_for(temp.path(), 1));
  CHECK(store == errc::store_failed);
  CHECK(says(store.error(), file.string()));
  CHECK(says(store.error(), "file is not a database"));
}

TEST_CASE("store: names a file that cannot be opened", "[store]") {
  temp_directory temp;
  fs::create_directory(temp.path() / "tweets.db");
  auto store = tweet_store::open(options_for(temp.path(), 1));
  CHECK(store == errc::store_failed);
  CHECK(says(store.error(), (temp.path() / "tweets.db").string()));
  CHECK(says(store.error(), "unable to open database file"));
}

TEST_CASE("store: names a directory that cannot be made", "[store]") {
  temp_directory temp;
  std::ofstream{temp.path() / "file"} << "in the way";
  auto directory = temp.path() / "file" / "store";
  auto store = tweet_store::open(options_for(directory, 1));
  CHECK(store == errc::store_failed);
  CHECK(says(store.error(), "cannot create directory"));
  CHECK(says(store.error(), directory.string()));
}

TEST_CASE("store: names an unknown VFS", "[store]") {
  temp_directory temp;
  auto options = options_for(temp.path(), 1);
  options.database.vfs = "simulated";
  auto store = tweet_store::open(options);
  CHECK(store == errc::store_failed);
  CHECK(says(store.error(), "no such vfs: simulated"));
}

TEST_CASE("store: several may make it at the same time", "[store]") {
  temp_directory temp;
  std::vector<caf::error> errors(8);
  {
    std::vector<std::jthread> threads;
    for (auto& error : errors)
      threads.emplace_back([&] {
        store_options options{temp.path(), 4, {}};
        if (auto store = tweet_store::open(options); !store)
          error = store.error();
      });
  }
  for (auto& error : errors)
    CHECK(error == caf::none);
}

TEST_CASE("store: a committed transaction is in the file before it returns",
          "[store]") {
  temp_directory temp;
  auto db = database::open(temp.path() / "x.db", {});
  REQUIRE(db);
  auto pragma = db->prepare("PRAGMA synchronous");
  auto row = pragma.run();
  REQUIRE(row.next());
  CHECK(row.number(0) == 2); // FULL: every commit is an fsync
}
