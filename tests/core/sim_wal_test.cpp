// Goal: no failed fsync, kill and power loss, in any order, takes from a
// database what was acknowledged, or leaves a part of what was not.
// Method: one of each at every place where it can happen, on the simulated
// disk.
#include "tests/core/sim_disk_client.hpp"

using namespace rookery;
using namespace rookery::store;
using rookery::sim::disk;
using rookery::sim::disk_event;
using tests::client;
using tests::numbers;
using tests::says;

TEST_CASE("wal: what a failed sync left is moved whole, or not at all",
          "[sim]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    for (int end = 1, moved = 0; moved == 0; ++end) {
      INFO("seed " << seed << " power loss " << end);
      disk disk{seed};
      {
        client before{disk, 1};
        REQUIRE(before.insert(1) == "");
        before.process.faults().failing_syncs = 1;
        CHECK(says(before.insert(2), "disk I/O error"));
        before.process.kill();
      }
      auto process = disk.start(2);
      disk.watch([&, left = end](int, disk_event) mutable {
        if (--left == 0)
          disk.power_loss(seed);
      });
      if (auto db = database::open("/data/x.db", {.vfs = process.vfs()}))
        moved = db->execute("PRAGMA wal_checkpoint") ? 0 : 1;
      disk.watch({});
      client after{disk, 3};
      CHECK(after.is_whole());
      CHECK(after.numbers().front() == 1);
    }
}

TEST_CASE("wal: a move that a reader kept from being whole loses nothing when "
          "the next one fails",
          "[sim]") {
  // One of both may be that of a shell, which knows nothing of our care.
  const auto shell_moves = GENERATE(0, 10, 11);
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    for (int sync = 1, failed = 1; failed == 1; ++sync) {
      INFO("seed " << seed << " sync " << sync);
      disk disk{seed};
      client writer{disk, 1};
      client reader{disk, 2};
      numbers written;
      auto insert = [&](int number, bool moves) {
        const auto shell = number == shell_moves;
        auto options = writer.options();
        options.wal_pages_max = moves && !shell ? 1 : 1'000;
        options.settles_wal = false;
        auto opened = database::open("/data/x.db", options);
        REQUIRE(opened);
        writer.db.emplace(std::move(*opened));
        transaction tx{*writer.db, transaction::kind::write};
        if (writer.insert(number) == "" && tx.commit() == caf::none)
          written.push_back(static_cast<std::uint64_t>(number));
        if (shell)
          static_cast<void>(writer.execute("PRAGMA wal_checkpoint"));
      };
      for (int number = 1; number <= 9; ++number)
        insert(number, false);
      REQUIRE(reader.execute("BEGIN") == "");
      CHECK(reader.numbers() == written);
      insert(10, true);
      REQUIRE(reader.execute("COMMIT") == "");
      disk.watch([&, left = sync](int, disk_event what) mutable {
        if (what == disk_event::sync && --left == 0)
          writer.process.faults().failing_syncs = 1;
      });
      insert(11, true);
      disk.watch({});
      failed = static_cast<int>(writer.process.counts().syncs_failed);
      insert(12, true);
      insert(13, true); // begins the WAL anew
      disk.power_loss(seed);
      client after{disk, 3};
      CHECK(after.numbers() == written);
      CHECK(after.is_whole());
    }
}

TEST_CASE("wal: a database that was made with a failing sync loses nothing",
          "[sim]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    for (int sync = 1, failed = 1; failed == 1; ++sync) {
      INFO("seed " << seed << " sync " << sync);
      disk disk{seed};
      {
        auto process = disk.start(1);
        disk.watch([&, left = sync](int, disk_event what) mutable {
          if (what == disk_event::sync && --left == 0)
            process.faults().failing_syncs = 1;
          else if (left <= 0) // before it can do anything about it
            process.kill();
        });
        static_cast<void>(database::open("/data/x.db", {.vfs = process.vfs()}));
        disk.watch({});
        failed = static_cast<int>(process.counts().syncs_failed);
      }
      REQUIRE(client{disk, 2}.insert(1) == "");
      disk.power_loss(seed);
      client after{disk, 3};
      CHECK(after.numbers() == numbers{1});
      CHECK(after.is_whole());
    }
}

TEST_CASE("wal: the first connection of a process writes the WAL again",
          "[sim]") {
  disk disk{1};
  client before{disk, 1};
  REQUIRE(before.insert(1) == "");
  client after{disk, 2};
  CHECK(after.process.counts().writes == 1);
  CHECK(after.process.counts().syncs == 1);
  auto more = after.options();
  more.settles_wal = false;
  REQUIRE(database::open("/data/x.db", more));
  CHECK(after.process.counts().writes == 1);
}

TEST_CASE("wal: what is from before it began anew is not written again",
          "[sim]") {
  disk disk{1};
  client before{disk, 1};
  for (int number = 1; number <= 60; ++number) // 250 KB
    REQUIRE(before.insert(number) == "");
  REQUIRE(before.execute("PRAGMA wal_checkpoint") == "");
  REQUIRE(before.insert(61) == "");
  client after{disk, 2};
  CHECK(after.process.counts().writes == 1); // of up to 64 KiB
  CHECK(after.numbers().size() == 61);
}
