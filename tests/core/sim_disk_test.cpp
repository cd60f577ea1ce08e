// Goal: the simulated disk does to SQLite what a real one would: what was
// synced survives a power loss, what was written survives a kill, and a full
// or failing disk is told.
// Method: the store's own database class on the disk, one process after
// another, or two at a time.
#include "actors/errc.hpp"
#include "actors/store/tweet_store.hpp"
#include "tests/core/sim_disk_client.hpp"

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace rookery;
using namespace rookery::store;
using namespace std::chrono_literals;
using rookery::actors::errc;
using rookery::sim::disk;
using rookery::sim::disk_event;
using rookery::sim::disk_faults;
using rookery::sim::disk_process;
using tests::client;
using tests::numbers;
using tests::says;

namespace {

/// Does `act` once, at the first `what` from now on.
void at_next(disk& owner, disk_event what, std::function<void()> act) {
  owner.watch([what, act, done = false](int, disk_event x) mutable {
    if (x == what && !std::exchange(done, true))
      act();
  });
}

} // namespace

TEST_CASE("disk: a committed transaction survives a power loss", "[sim]") {
  disk disk{1};
  client before{disk, 1};
  REQUIRE(before.insert(1) == "");
  REQUIRE(before.insert(2) == "");
  disk.power_loss(1);
  client after{disk, 1};
  CHECK(after.numbers() == numbers{1, 2});
  CHECK(after.is_whole());
}

TEST_CASE("disk: a power loss before the sync takes what was written",
          "[sim]") {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    disk disk{seed};
    client before{disk, 1};
    REQUIRE(before.insert(1) == "");
    at_next(disk, disk_event::sync, [&] { disk.power_loss(seed); });
    CHECK(says(before.insert(2), "disk I/O error"));
    client after{disk, 1};
    lost += after.numbers() == numbers{1} ? 1 : 0;
    if (after.numbers() != numbers{1})
      CHECK(after.numbers() == numbers{1, 2});
    CHECK(after.is_whole());
  }
  CHECK(lost > 0);
  CHECK(lost < 20);
}

TEST_CASE("disk: a kill keeps what was written", "[sim]") {
  disk disk{1};
  client before{disk, 1};
  before.process.faults().skip_fsync = true; // the page cache does it
  REQUIRE(before.insert(1) == "");
  before.process.kill();
  CHECK(says(before.insert(2), "disk I/O error"));
  client after{disk, 1};
  CHECK(after.numbers() == numbers{1});
}

TEST_CASE("disk: a killed process changes nothing any more", "[sim]") {
  disk disk{1};
  std::optional<client> before{std::in_place, disk, 1};
  REQUIRE(before->insert(1) == "");
  REQUIRE(before->execute("BEGIN") == "");
  REQUIRE(before->insert(2) == "");
  before->process.kill();
  auto digest = disk.digest();
  auto writes = before->process.counts().writes;
  CHECK(says(before->execute("COMMIT"), "disk I/O error"));
  CHECK(before->process.counts().writes == writes);
  before.reset();
  CHECK(disk.digest() == digest);
}

TEST_CASE("disk: one process writes at a time", "[sim]") {
  disk disk{1};
  client first{disk, 1};
  client second{disk, 2};
  REQUIRE(first.execute("BEGIN IMMEDIATE") == "");
  REQUIRE(first.insert(1) == "");
  CHECK(second.numbers().empty()); // readers do not wait
  CHECK(says(second.insert(2), "database is locked"));
  CHECK(second.process.counts().sleeps == 3); // busy_timeout, in no time
  REQUIRE(first.execute("COMMIT") == "");
  CHECK(second.insert(2) == "");
  CHECK(first.numbers() == numbers{1, 2});
}

TEST_CASE("disk: it is known who is between two writes of a transaction",
          "[sim]") {
  disk disk{1};
  client first{disk, 1};
  client second{disk, 2};
  CHECK_FALSE(first.process.in_transaction());
  REQUIRE(first.execute("BEGIN IMMEDIATE") == "");
  CHECK(first.process.in_transaction());
  CHECK_FALSE(second.process.in_transaction());
  REQUIRE(first.execute("COMMIT") == "");
  CHECK_FALSE(first.process.in_transaction());
  // What moves commits from the WAL to the file is none of them.
  int writes = 0;
  disk.watch([&](int, disk_event what) {
    writes += what == disk_event::write ? 1 : 0;
    CHECK_FALSE(first.process.in_transaction());
  });
  REQUIRE(first.execute("PRAGMA wal_checkpoint(PASSIVE)") == "");
  CHECK(writes > 0);
}

TEST_CASE("disk: a process that waits goes on when the other one is done",
          "[sim]") {
  disk disk{1};
  client first{disk, 1};
  client second{disk, 2};
  REQUIRE(first.execute("BEGIN IMMEDIATE") == "");
  REQUIRE(first.insert(1) == "");
  at_next(disk, disk_event::sleep,
          [&] { CHECK(first.execute("COMMIT") == ""); });
  CHECK(second.insert(2) == "");
  CHECK(second.process.counts().sleeps == 1);
  CHECK(second.numbers() == numbers{1, 2});
}

TEST_CASE("disk: a killed process holds no locks", "[sim]") {
  disk disk{1};
  client first{disk, 1};
  client second{disk, 2};
  REQUIRE(first.execute("BEGIN IMMEDIATE") == "");
  REQUIRE(first.insert(1) == "");
  first.process.kill();
  CHECK(second.insert(2) == "");
  CHECK(second.process.counts().sleeps == 0);
  CHECK(second.numbers() == numbers{2});
}

// SQLite keeps pointers into the WAL-index and writes through them without
// asking the VFS: a rollback wipes all that no transaction has committed.
TEST_CASE("disk: the handles of a killed process may be closed late", "[sim]") {
  const std::string begin = "PRAGMA cache_size=1; BEGIN IMMEDIATE";
  disk disk{1};
  std::optional<client> first{std::in_place, disk, 1};
  client second{disk, 2};
  REQUIRE(first->insert(0) == ""); // an empty index is not wiped
  REQUIRE(first->execute(begin) == "");
  for (int i = 100; i < 130; ++i)
    REQUIRE(first->insert(i) == "");
  first->process.kill();
  REQUIRE(second.execute(begin) == "");
  for (int i = 1; i <= 20; ++i)
    REQUIRE(second.insert(i) == "");
  first.reset();
  REQUIRE(second.insert(21) == "");
  REQUIRE(second.execute("COMMIT") == "");
  CHECK(second.numbers().size() == 22);
  CHECK(second.is_whole());
  client third{disk, 3};
  CHECK(third.numbers() == second.numbers());
}

TEST_CASE("disk: what a reader finds after a kill survives a power loss",
          "[sim]") {
  disk disk{1};
  client before{disk, 1};
  at_next(disk, disk_event::sync, [&] { before.process.kill(); });
  CHECK(says(before.insert(1), "disk I/O error"));
  client reader{disk, 1};
  REQUIRE(reader.numbers() == numbers{1});
  disk.power_loss(1);
  client after{disk, 1};
  CHECK(after.numbers() == numbers{1});
}

TEST_CASE("disk: a database is not opened when any of its syncs fails",
          "[sim]") {
  for (int sync = 1;; ++sync) {
    INFO("sync " << sync);
    disk disk{1};
    auto process = disk.start(1);
    disk.watch([&, left = sync](int, disk_event what) mutable {
      if (what == disk_event::sync && --left == 0)
        process.faults().failing_syncs = 1;
    });
    auto opened = database::open("/data/x.db", {.vfs = process.vfs()});
    if (process.counts().syncs_failed == 0)
      break;
    CHECK_FALSE(opened);
    CHECK(sync < 20);
  }
}

TEST_CASE("disk: a full disk is told, and nothing is lost", "[sim]") {
  using space = disk_faults::space;
  for (auto left : {space::no_growth, space::no_write}) {
    disk disk{1};
    client x{disk, 1};
    REQUIRE(x.insert(1) == "");
    x.process.faults().left = left;
    CHECK(says(x.insert(2), "database or disk is full"));
    CHECK(x.process.counts().writes_refused > 0);
    CHECK(x.numbers() == numbers{1});
    x.process.faults().left = space::enough;
    CHECK(x.insert(3) == "");
    disk.power_loss(1);
    client after{disk, 1};
    CHECK(after.numbers() == numbers{1, 3});
    CHECK(after.is_whole());
  }
}

TEST_CASE("disk: what does not grow fits on a full disk", "[sim]") {
  disk disk{1};
  client x{disk, 1};
  REQUIRE(x.execute("PRAGMA wal_autocheckpoint=1") == "");
  REQUIRE(x.insert(1) == ""); // and copied: the next one begins the WAL anew
  x.process.faults().left = disk_faults::space::no_growth;
  CHECK(x.execute("UPDATE numbers SET n = 2") == "");
  CHECK(x.numbers() == numbers{2});
}

TEST_CASE("disk: a failed sync is told, and what is said to be committed is",
          "[sim]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    INFO("seed " << seed);
    disk disk{seed};
    client x{disk, 1};
    REQUIRE(x.insert(1) == "");
    x.process.faults().failing_syncs = 1;
    CHECK(says(x.insert(2), "disk I/O error"));
    CHECK(x.process.counts().syncs_failed == 1);
    CHECK(x.numbers() == numbers{1});
    CHECK(x.insert(3) == "");
    disk.power_loss(seed);
    client after{disk, 1};
    CHECK(after.numbers() == numbers{1, 3});
    CHECK(after.is_whole());
  }
}

TEST_CASE("disk: what a reader finds after a failed sync and a kill survives",
          "[sim]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    INFO("seed " << seed);
    disk disk{seed};
    client before{disk, 1};
    REQUIRE(before.insert(1) == "");
    before.process.faults().failing_syncs = 1;
    CHECK(says(before.insert(2), "disk I/O error"));
    before.process.kill();
    // The cache has the second number, and the medium has a part of it.
    client reader{disk, 2};
    CHECK(reader.numbers() == numbers{1, 2});
    disk.power_loss(seed);
    client after{disk, 1};
    CHECK(after.numbers() == numbers{1, 2});
    CHECK(after.is_whole());
  }
}

TEST_CASE("disk: what a failed sync left behind may be lost, as on Linux",
          "[sim]") {
  sim::disk_file file;
  file.write(0, std::string(512 * 20, 'a'));
  std::mt19937_64 random{3};
  file.fail_sync(random);
  file.write(0, std::string(512, 'b'));
  file.sync(); // does not write the others again
  CHECK(file.cached().substr(500, 20)
        == std::string(12, 'b') + std::string(8, 'a'));
  auto& durable = file.durable();
  CHECK(durable.size() == 512 * 20);
  CHECK(durable[0] == 'b');
  CHECK(durable.find('\0') != std::string::npos);
}

TEST_CASE("disk: a power loss tears writes at sectors", "[sim]") {
  bool torn = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sim::disk_file file;
    file.write(0, std::string(2000, 'a'));
    file.sync();
    file.write(100, std::string(1500, 'b'));
    std::mt19937_64 random{seed};
    auto counts = file.lose_power(random);
    CHECK(counts.kept + counts.lost == 4);
    auto& left = file.cached();
    REQUIRE(left.size() == 2000);
    for (std::size_t i = 0; i < 2000; ++i) {
      auto inside = i >= 100 && i < 1600;
      auto first = std::max<std::size_t>(i / 512 * 512, 100);
      REQUIRE(left[i] == (inside ? left[first] : 'a'));
    }
    torn = torn || (counts.kept > 0 && counts.lost > 0);
  }
  CHECK(torn);
}

TEST_CASE("disk: SQLite reads the clock and draws numbers from the disk",
          "[sim]") {
  auto draw = [](std::uint64_t seed) {
    disk disk{seed};
    disk.set_time(1'700'000'000'123);
    client x{disk, 1};
    CHECK(x.column("SELECT CAST(strftime('%s', 'now') AS INTEGER)")
          == numbers{1'700'000'000});
    REQUIRE(x.insert(1) == ""); // salts of the WAL
    return std::pair{x.column("SELECT random()"), disk.digest()};
  };
  CHECK(draw(1) == draw(1));
  CHECK(draw(1).first != draw(2).first);
  CHECK(draw(1).second != draw(2).second);
}

TEST_CASE("disk: what a failed sync lost of a longer file stays lost",
          "[sim][disk]") {
  const std::string first(512, 'a');
  const std::string second(512, 'b');
  auto lost = 0;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    std::mt19937_64 random{seed};
    sim::disk_file file;
    file.write(0, first);
    file.fail_sync(random);
    const auto kept = file.durable() == first;
    lost += kept ? 0 : 1;
    file.write(512, second);
    file.sync(); // of what was written since
    CHECK(file.cached() == first + second);
    CHECK(file.durable() == (kept ? first : std::string(512, '\0')) + second);
  }
  CHECK(lost > 0);
}
