// Goal: the oracle knows what every home timeline must be and holds the store
// to the journal; it must notice everything that is wrong, and nothing else.
// Method: stores made by the real schema, filled by hand in plain SQL.
#include "actors/store/follow_store.hpp"
#include "actors/store/tweet_store.hpp"
#include "nodes/verify/journal_check.hpp"
#include "nodes/verify/oracle_store.hpp"
#include "nodes/verify/timeline_check.hpp"
#include "tests/support/catch.hpp"

#include <filesystem>
#include <sstream>
#include <unistd.h>

namespace {

using namespace rookery::nodes;
using rookery::actors::tweet_id;

/// A store of 2 partitions and 4 shards, gone with this.
class made_store {
public:
  made_store()
      : directory_(std::filesystem::temp_directory_path()
                   / ("rookery-oracle-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(directory_);
    rookery::store::store_options options;
    options.directory = directory_;
    options.count = 2;
    REQUIRE(rookery::store::tweet_store::open(options));
    options.count = 4;
    REQUIRE(rookery::store::follow_store::open(options));
  }
  ~made_store() { std::filesystem::remove_all(directory_); }

  /// Runs statements on "tweets.db" or "follows.db".
  void run(const std::string& file, const std::string& sql) const {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open((directory_ / file).c_str(), &handle) == SQLITE_OK);
    auto code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
    INFO(sqlite3_errmsg(handle));
    CHECK(code == SQLITE_OK);
    sqlite3_close(handle);
  }

  [[nodiscard]] oracle_store oracle() const {
    auto result = oracle_store::open(directory_.string());
    REQUIRE(result);
    REQUIRE(result->load_graph() == "");
    return std::move(*result);
  }

  [[nodiscard]] std::string directory() const { return directory_.string(); }

private:
  std::filesystem::path directory_;
};

/// 1 follows 2 and 3; 2 follows 1; tweets 10 (by 1), 20 21 (by 2), 30 (by 3),
/// 90 (by 9, whom nobody follows).
void fill(const made_store& store) {
  store.run("tweets.db", "INSERT INTO tweets VALUES(10,1,'a'),(20,2,'b'),"
                         "(21,2,'c'),(30,3,'d'),(90,9,'e')");
  store.run("follows.db",
            "INSERT INTO edges VALUES(0,1,2,1),(0,1,3,2),(3,2,1,1)");
}

/// What the store is judged to be, given this journal.
verdict judge(const made_store& store, const std::string& text,
              bool complete = true) {
  journal told;
  std::istringstream input{text};
  REQUIRE(read_journal(input, told) == "");
  auto oracle = store.oracle();
  verdict result;
  REQUIRE(check_journal(told, complete, oracle, result) == "");
  return result;
}

/// Tells everything `fill` did.
const std::string whole_journal = "edge 1 2\nedge 1 3\nedge 2 1\n"
                                  "try 1 post 1\ntry 2 post 2\ntry 3 post 2\n"
                                  "try 4 post 3\ntry 5 post 9\n"
                                  "ok 1 10\nok 2 20\nok 3 21\nok 4 30\n"
                                  "ok 5 90\n";

} // namespace

TEST_CASE("oracle: a home is one's own and the followed, newest first",
          "[nodes][oracle]") {
  made_store store;
  fill(store);
  auto oracle = store.oracle();
  CHECK(*oracle.home(1, 100) == std::vector<tweet_id>{30, 21, 20, 10});
  CHECK(*oracle.home(1, 2) == std::vector<tweet_id>{30, 21});
  CHECK(*oracle.home(2, 100) == std::vector<tweet_id>{21, 20, 10});
  CHECK(*oracle.home(3, 100) == std::vector<tweet_id>{30});
  CHECK(oracle.home(4, 100)->empty());
  CHECK(*oracle.users() == std::vector<rookery::actors::user_id>{1, 2, 3, 9});
}

TEST_CASE("oracle: the greatest user is a user like any other",
          "[nodes][oracle]") {
  made_store store;
  store.run("tweets.db", "INSERT INTO tweets VALUES(5, -1, 'a')");
  store.run("follows.db", "INSERT INTO edges VALUES(0, 0, -1, 1)");
  auto oracle = store.oracle();
  auto greatest = ~std::uint64_t{0};
  CHECK(*oracle.home(0, 10) == std::vector<tweet_id>{5});
  CHECK(*oracle.author_of(5) == greatest);
  CHECK(*oracle.follows({0, greatest}));
}

TEST_CASE("oracle: heads are those of both databases, and fresh",
          "[nodes][oracle]") {
  made_store store;
  auto oracle = store.oracle();
  CHECK(oracle.partitions() == 2);
  CHECK(oracle.shards() == 4);
  store.run("tweets.db", "UPDATE writers SET seq = 7 WHERE log = 'tweet/1'");
  auto heads = *oracle.heads();
  CHECK(heads.size() == 6);
  CHECK(heads["tweet/1"] == 7);
  CHECK(heads["follow/3"] == 0);
}

TEST_CASE("oracle: a directory without a store is refused with its name",
          "[nodes][oracle]") {
  auto opened = oracle_store::open("/nowhere");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().find("/nowhere/tweets.db") != std::string::npos);
}

TEST_CASE("oracle: a journal that tells everything is kept",
          "[nodes][oracle]") {
  made_store store;
  fill(store);
  auto x = judge(store, whole_journal);
  CHECK(x.good());
  CHECK(x.acked == 5);
}

TEST_CASE("oracle: an acknowledged post that is not there is missing",
          "[nodes][oracle]") {
  made_store store;
  fill(store);
  auto x = judge(store, whole_journal + "try 6 post 1\nok 6 11\n");
  CHECK(x.missing == 1);
  CHECK(x.mismatches == 0);
  CHECK(x.reasons
        == std::vector<std::string>{
            "acknowledged, but not in the store: tweet 11 of 1"});
}

TEST_CASE("oracle: a post by somebody else is missing too", "[nodes][oracle]") {
  made_store store;
  fill(store);
  store.run("tweets.db", "UPDATE tweets SET author = 4 WHERE id = 10");
  CHECK(judge(store, whole_journal).missing == 1);
}

TEST_CASE("oracle: deletes are held to, refused and unknown ones are not",
          "[nodes][oracle]") {
  made_store store;
  fill(store);
  store.run("tweets.db", "DELETE FROM tweets WHERE id IN (10, 20)");
  // 10 deleted and told so; 20 deleted, nobody knows; 21 not deleted, nobody
  // knows; 30 refused: all fine.
  auto fine = whole_journal
              + "try 6 delete 1 10\nok 6\ntry 7 delete 2 20\n"
                "try 8 delete 2 21\ntry 9 delete 3 30\nno 9\n";
  CHECK(judge(store, fine).good());
  auto x = judge(store, fine + "try 10 delete 9 90\nok 10\n");
  CHECK(x.missing == 1);
  CHECK(x.reasons.front() == "deleted, but still in the store: tweet 90 of 9");
}

TEST_CASE("oracle: the last change of a pair counts", "[nodes][oracle]") {
  made_store store;
  fill(store);
  CHECK(judge(store, whole_journal
                         + "try 6 unfollow 1 2\nok 6\ntry 7 follow 1 2\nok 7\n")
            .good());
  auto unfollowed = whole_journal + "try 6 unfollow 1 2\nok 6\n";
  CHECK(judge(store, unfollowed).missing == 1);
  CHECK(judge(store, unfollowed + "try 7 follow 1 2\n").good());
  CHECK(judge(store, unfollowed + "try 7 follow 1 2\nno 7\n").missing == 1);
  CHECK(judge(store, whole_journal + "try 6 follow 3 1\nok 6\n").missing == 1);
  CHECK(judge(store, whole_journal + "try 6 follow 3 3\nok 6\n").good());
}

TEST_CASE("oracle: an import counts where it stands", "[nodes][oracle]") {
  made_store store;
  fill(store);
  auto undone = whole_journal + "try 6 unfollow 1 2\nok 6\n";
  CHECK(judge(store, undone + "run\nedge 1 2\n").good());
  CHECK(judge(store, "edge 1 2\n" + undone).missing == 1);
}

TEST_CASE("oracle: what nobody asked for is a mismatch", "[nodes][oracle]") {
  made_store store;
  fill(store);
  store.run("tweets.db", "INSERT INTO tweets VALUES(31, 3, 'f')");
  store.run("follows.db", "INSERT INTO edges VALUES(1, 9, 1, 1)");
  auto x = judge(store, whole_journal);
  CHECK(x.mismatches == 2);
  CHECK(x.missing == 0);
  CHECK(judge(store, whole_journal, false).good());
  CHECK(
      judge(store, whole_journal + "try 6 post 3\ntry 7 follow 9 1\n").good());
}

TEST_CASE("oracle: one unknown post excuses one tweet", "[nodes][oracle]") {
  made_store store;
  fill(store);
  store.run("tweets.db", "INSERT INTO tweets VALUES(31,3,'f'),(32,3,'g')");
  CHECK(judge(store, whole_journal + "try 6 post 3\n").mismatches == 1);
}

TEST_CASE("oracle: timelines are compared up to the cap", "[nodes][oracle]") {
  using ids = std::vector<tweet_id>;
  auto compare = [](const ids& held, const ids& wanted) {
    return compare_timeline(held, wanted, 3).value_or("fine");
  };
  CHECK(compare({9, 8, 7}, {9, 8, 7}) == "fine");
  CHECK(compare({9, 8, 7, 6, 5}, {9, 8, 7}) == "fine");
  CHECK(compare({}, {}) == "fine");
  CHECK(compare({9, 7}, {9, 8, 7}) == "1 missing, such as 8");
  CHECK(compare({9, 8}, {9}) == "1 too many, such as 8");
  CHECK(compare({9, 6}, {8, 7})
        == "2 missing, such as 8; 2 too many, such as 9");
  CHECK(compare({9, 9, 8}, {9, 8}) == "tweet 9 is in it twice");
  CHECK(compare({8, 9}, {9, 8}) == "tweet 9 stands behind the older 8");
}

TEST_CASE("verdict: its line has all the numbers and reasons are bounded",
          "[nodes][oracle]") {
  verdict x{.users = 1, .timelines = 2, .entries = 3, .pushed = 4};
  x.mismatches = 9;
  CHECK(x.line()
        == "verify: users=1 timelines=2 entries=3 pushed=4 pulled=0 trimmed=0 "
           "acked=0 missing=0 mismatches=9");
  for (int i = 0; i < 100; ++i)
    x.explain("because");
  CHECK(x.reasons.size() == verdict::reasons_max);
}

TEST_CASE("oracle: an empty comparison proves nothing", "[nodes][oracle]") {
  verdict x;
  CHECK(x.good()); // an empty service
  x.users = 3;
  CHECK_FALSE(x.good());
  x.timelines = 1;
  CHECK(x.good());
}
