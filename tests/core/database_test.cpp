// Goal: several connections use a database at the same time, and none of them
// keeps the others waiting for longer than it must.
// Method: real files, and a VFS that lets the test look on. What a crash leaves
// is the matter of sim_disk_test.
#include "actors/store/database.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include <functional>

using namespace rookery;
using namespace rookery::store;
namespace fs = std::filesystem;

namespace {

/// The operating system's VFS, but that somebody looks on when a database (not
/// its WAL) is written.
class watched_vfs {
public:
  watched_vfs() : vfs_{*sqlite3_vfs_find(nullptr)} {
    vfs_.zName = "watched";
    base = sqlite3_vfs_find(nullptr);
    vfs_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file,
                    int flags, int* out) {
      auto code = base->xOpen(base, name, file, flags, out);
      if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0)
        return code;
      watched = *file->pMethods;
      write = watched.xWrite;
      watched.xWrite = [](sqlite3_file* x, const void* bytes, int count,
                          sqlite3_int64 at) {
        if (look)
          look();
        return write(x, bytes, count, at);
      };
      file->pMethods = &watched;
      return code;
    };
    REQUIRE(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK);
  }
  watched_vfs(const watched_vfs&) = delete;
  watched_vfs& operator=(const watched_vfs&) = delete;
  ~watched_vfs() {
    look = {};
    sqlite3_vfs_unregister(&vfs_);
  }

  inline static std::function<void()> look;

private:
  inline static sqlite3_vfs* base = nullptr;
  inline static sqlite3_io_methods watched = {};
  inline static int (*write)(sqlite3_file*, const void*, int,
                             sqlite3_int64) = nullptr;
  sqlite3_vfs vfs_;
};

std::uint64_t rows(database& db) {
  auto count = db.prepare("SELECT count(*) FROM t");
  auto result = count.run();
  REQUIRE(result.next());
  return result.number(0);
}

/// Somebody who reads what was there before the last row came.
struct fixture {
  fixture() {
    REQUIRE(writer);
    REQUIRE(writer->execute("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
            == caf::none);
    REQUIRE(reader);
    REQUIRE(reader->execute("BEGIN") == caf::none);
    REQUIRE(rows(*reader) == 1);
    REQUIRE(writer->execute("INSERT INTO t VALUES (2)") == caf::none);
  }

  temp_directory temp;
  fs::path file = temp.path() / "a.db";
  database_options options;
  caf::expected<database> writer = database::open(file, options);
  caf::expected<database> reader = database::open(file, options);
};

} // namespace

TEST_CASE("database: opening does not wait for who reads", "[store]") {
  fixture f;
  f.options.busy_timeout = std::chrono::milliseconds{0};
  auto db = database::open(f.file, f.options);
  REQUIRE(db);
  CHECK(rows(*db) == 2);
  CHECK(rows(*f.reader) == 1);
}

TEST_CASE("database: while somebody reads the WAL is moved in vain, and then "
          "it begins anew",
          "[store]") {
  fixture f;
  const auto wal = f.temp.path() / "a.db-wal";
  f.options.wal_pages_max = 1;
  auto commit = [&] {
    auto db = database::open(f.file, f.options);
    REQUIRE(db);
    transaction mine{*db, transaction::kind::write};
    REQUIRE(db->execute("INSERT INTO t VALUES (3)") == caf::none);
    REQUIRE(mine.commit() == caf::none);
  };
  commit();
  const auto meanwhile = fs::file_size(wal);
  CHECK(rows(*f.reader) == 1);
  REQUIRE(f.reader->execute("COMMIT") == caf::none);
  commit();
  const auto most = fs::file_size(wal);
  CHECK(most > meanwhile);
  for (int i = 0; i < 9; ++i)
    commit();
  CHECK(fs::file_size(wal) == most);
  CHECK(rows(*f.writer) == 13);
}

TEST_CASE("database: the WAL is moved now and then, and nobody can commit "
          "meanwhile",
          "[store]") {
  temp_directory temp;
  const auto file = temp.path() / "a.db";
  watched_vfs vfs;
  database_options options;
  options.vfs = "watched";
  auto db = database::open(file, options);
  REQUIRE(db);
  REQUIRE(db->execute("CREATE TABLE t (x)") == caf::none);
  database_options at_once;
  at_once.busy_timeout = std::chrono::milliseconds{0};
  auto other = database::open(file, at_once);
  REQUIRE(other);
  int looks = 0;
  int holes = 0;
  watched_vfs::look = [&] {
    ++looks;
    if (transaction{*other, transaction::kind::write}.error() == caf::none)
      ++holes;
  };
  for (int i = 0; i < 300; ++i) {
    transaction mine{*db, transaction::kind::write};
    REQUIRE(db->execute("INSERT INTO t VALUES (randomblob(65536))")
            == caf::none);
    REQUIRE(mine.commit() == caf::none);
  }
  watched_vfs::look = {};
  CHECK(looks > 3'000); // of 5,000 pages
  CHECK(holes == 0);
  CHECK(fs::file_size(temp.path() / "a.db-wal") < 3 * 1'000 * 4'120);
}

TEST_CASE("database: a statement tells at its first run what is wrong with it",
          "[store]") {
  fixture f;
  auto wrong = f.writer->prepare("SELECT absent FROM t");
  auto result = wrong.run(1);
  CHECK_FALSE(result.next());
  auto why = caf::to_string(result.error());
  INFO(why);
  CHECK(why.find("no such column: absent") != std::string::npos);
}
