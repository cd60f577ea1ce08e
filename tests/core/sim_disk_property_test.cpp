// Goal: whenever the power goes or a process is killed, the database has what
// was acknowledged or seen before, and perhaps the transaction under way,
// whole.
// Method: random transactions on one simulated disk through many lives, each
// ended at a random write or sync. A build that skips fsync must fail the same
// test. ROOKERY_SEED=<seed> replays one run alone.
#include "actors/store/tweet_store.hpp"
#include "testing/seed.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/catch.hpp"

#include <cstdlib>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

using namespace rookery;
using namespace rookery::store;
using rookery::sim::disk;
using rookery::sim::disk_event;
using rookery::sim::disk_process;

namespace {

using transactions = std::set<std::uint64_t>;

struct run_options {
  bool skip_fsync = false;
  /// One sync in so many fails; 0 for none.
  std::size_t failing_sync_of = 0;
};

class run {
public:
  run(std::uint64_t seed, run_options options)
      : options_(options),
        dice_(seed),
        disk_(seed) {}

  /// @returns what went wrong first, empty when nothing did.
  std::string operator()() {
    for (int life = 0; life < 6 && good(); ++life) {
      live(1 + dice_.below(life % 2 == 0 ? 60 : 600));
      if (!good())
        trouble_ << " (life " << life << ")";
    }
    return trouble_.str();
  }

  [[nodiscard]] std::uint64_t digest() const { return disk_.digest(); }

private:
  [[nodiscard]] bool good() const { return trouble_.str().empty(); }

  /// A process, until before the `end`th thing it does to the disk.
  void live(std::size_t end) {
    auto process = disk_.start(1);
    process.faults().skip_fsync = options_.skip_fsync;
    disk_.watch([&](int, disk_event what) {
      if (what == disk_event::sync && options_.failing_sync_of > 0
          && dice_.below(options_.failing_sync_of) == 0) {
        process.faults().failing_syncs = 1;
        if (dice_.below(3) == 0)
          end = 2; // at the next: a commit would overwrite what is in doubt
      }
      if (--end == 0)
        die(process);
    });
    std::optional<database> db;
    std::optional<database> reader;
    if (open(db, process))
      while (good() && !process.killed()) {
        transact(*db);
        read_for_a_while(reader, process);
      }
    disk_.watch({});
    if (!process.killed())
      die(process); // a failed sync ended it
  }

  /// After a failed sync and a kill the page cache lies to the next life: what
  /// it shows is not on the medium, and no sync would bring it there.
  void die(disk_process& process) {
    if (dice_.below(4) == 0)
      process.kill();
    else
      disk_.power_loss(dice_());
  }

  bool open(std::optional<database>& db, const disk_process& process) {
    auto opened =
        database::open("/x.db", {.wal_pages_max = 12, .vfs = process.vfs()});
    if (!opened)
      return expected_end(opened.error(), process);
    db.emplace(std::move(*opened));
    for (auto sql : {"CREATE TABLE IF NOT EXISTS t(tx, n, of, text)",
                     "CREATE INDEX IF NOT EXISTS i ON t(text)"})
      if (auto error = db->execute(sql))
        return expected_end(error, process);
    return compare(*db, process);
  }

  /// Always false, for the process is over.
  bool expected_end(const caf::error& error, const disk_process& process) {
    if (!process.killed() && process.counts().syncs_failed == 0 && made_)
      trouble_ << caf::to_string(error);
    return false;
  }

  /// What is there must be what was acknowledged, and may be what was not.
  /// From now on it must be there, for it was seen.
  bool compare(database& db, const disk_process& process) {
    auto check = db.prepare("PRAGMA integrity_check");
    if (auto rows = check.run(); rows.next() && rows.text(0) != "ok")
      trouble_ << rows.text(0);
    auto select = db.prepare("SELECT tx, count(*), max(of) FROM t GROUP BY tx");
    transactions found;
    auto rows = select.run();
    while (rows.next()) {
      found.insert(rows.number(0));
      if (rows.number(1) != rows.number(2))
        trouble_ << "a part of transaction " << rows.number(0);
    }
    if (auto error = rows.error())
      return expected_end(error, process);
    for (auto tx : acknowledged_)
      if (!found.contains(tx))
        trouble_ << "transaction " << tx << " is lost";
    for (auto tx : found)
      if (!acknowledged_.contains(tx) && !failed_.contains(tx))
        trouble_ << "transaction " << tx << " was never made";
    made_ = true;
    acknowledged_ = std::move(found);
    return good();
  }

  void transact(database& db) {
    auto tx = ++last_;
    auto rows = 1 + dice_.below(5);
    transaction work{db, transaction::kind::write};
    auto error = work.error();
    for (std::size_t n = 0; n < rows && !error; ++n) {
      std::ostringstream sql;
      sql << "INSERT INTO t VALUES(" << tx << "," << n << "," << rows
          << ", hex(randomblob(" << 1 + dice_.below(2500) << ")))";
      error = db.execute(sql.str());
    }
    if (!error && (error = work.commit()) == caf::none) {
      acknowledged_.insert(tx);
      failed_.clear(); // it lies where they would
    } else {
      failed_.insert(tx);
    }
  }

  /// Moves are not whole meanwhile.
  void read_for_a_while(std::optional<database>& reader,
                        const disk_process& process) {
    if (dice_.below(3) > 0)
      return;
    if (reader)
      return reader.reset();
    auto opened =
        database::open("/x.db", {.settles_wal = false, .vfs = process.vfs()});
    if (!opened || opened->execute("BEGIN; SELECT count(*) FROM t"))
      return;
    reader.emplace(std::move(*opened));
  }

  run_options options_;
  testing::random_source dice_;
  disk disk_;
  transactions acknowledged_;
  transactions failed_; // since the last acknowledged one: may come back
  std::uint64_t last_ = 0;
  // Before that SQLite may refuse what crashes left of a file that it made: it
  // counts a journal for nothing whose database is empty, and does not sync it.
  bool made_ = false;
  std::ostringstream trouble_;
};

/// How many of `count` runs fail; says why the first did.
int failures(int count, run_options options) {
  std::string first;
  int result = 0;
  auto seed = testing::seed();
  if (std::getenv("ROOKERY_SEED"))
    count = 1;
  for (int i = 0; i < count; ++i, ++seed) {
    auto trouble = run{seed, options}();
    if (!trouble.empty() && result++ == 0)
      first = "ROOKERY_SEED=" + std::to_string(seed) + ": " + trouble;
  }
  UNSCOPED_INFO(first);
  return result;
}

constexpr int groups_max = 12;

/// Commits groups to "tweet/0" until the process ends; group i has i + 1
/// tweets. @returns how many rows were acknowledged.
std::uint64_t post_groups(tweet_store& store) {
  auto owner = store.take_over("tweet/0");
  if (!owner)
    return 0;
  for (std::uint64_t group = 0; group < groups_max; ++group) {
    log_changes changes;
    for (std::uint64_t i = 0; i <= group; ++i) {
      auto& row = *changes.batch.add_rows();
      row.set_kind(service::v1::LogRow::POSTED);
      row.set_user(7);
      row.set_subject(owner->seq + i + 1);
      changes.texts.emplace_back("tweet");
      changes.keys.push_back(
          {std::to_string(owner->seq + i + 1), 1, owner->seq + i + 1});
    }
    if (store.commit(*owner, changes))
      break;
  }
  return owner->seq;
}

} // namespace

TEST_CASE("disk: what is acknowledged survives, whatever the end", "[sim]") {
  CHECK(failures(300, {}) == 0);
}

TEST_CASE("disk: what is acknowledged survives, failing syncs included",
          "[sim]") {
  CHECK(failures(300, {.failing_sync_of = 20}) == 0);
}

TEST_CASE("disk: without fsync, acknowledged transactions are lost", "[sim]") {
  CHECK(failures(50, {.skip_fsync = true}) > 25);
}

TEST_CASE("disk: the same seed leaves the same bytes", "[sim]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    run first{seed, {.failing_sync_of = 20}};
    CHECK(first() == "");
    auto digest = first.digest();
    {
      run other{seed + 100, {}};
      (void)other();
    }
    run second{seed, {.failing_sync_of = 20}};
    CHECK(second() == "");
    CHECK(second.digest() == digest);
  }
}

TEST_CASE("disk: a tweet store has every acknowledged row after a power loss",
          "[sim]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    disk disk{seed};
    testing::random_source dice{seed};
    auto open = [](const disk_process& x) {
      return tweet_store::open({"/node", 2, {.vfs = x.vfs()}});
    };
    std::uint64_t acknowledged = 0;
    auto first = disk.start(1);
    {
      disk.watch([&, end = 1 + dice.below(200)](int, disk_event) mutable {
        if (--end == 0)
          disk.power_loss(seed);
      });
      if (auto store = open(first))
        acknowledged = post_groups(**store);
    }
    disk.watch({});
    auto second = disk.start(1);
    auto store = open(second);
    REQUIRE(store);
    auto head = (*store)->head("tweet/0");
    REQUIRE(head);
    CHECK(*head >= acknowledged);
    auto log = (*store)->read_log("tweet/0", 0, 1000);
    auto tweets = (*store)->user_timeline(7, 0, UINT64_MAX, 1000);
    REQUIRE(log);
    REQUIRE(tweets);
    CHECK(static_cast<std::uint64_t>(log->rows_size()) == *head);
    CHECK(static_cast<std::uint64_t>(tweets->tweets_size()) == *head);
    CHECK((*store)->take_over("tweet/0"));
  }
}
