#pragma once

#include "actors/store/statement.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <sqlite3.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace rookery::store {

struct database_options {
  /// How long a writer waits for another process's transaction to end. When it
  /// is over, the call fails with errc::store_failed. 0..60 s.
  std::chrono::milliseconds busy_timeout{5000};
  /// Told when a process that was stopped in the middle of a transaction kept
  /// this connection from writing for long, and was made to go on; its number.
  /// @thread whoever writes
  std::function<void(int process)> on_woken = {};
  /// Pages of the file this connection keeps in memory, 64 KiB..1 GiB. A pull
  /// over a million tweets takes half the time with 8 MiB of what it takes
  /// with SQLite's 2.
  std::size_t cache_bytes_max = std::size_t{8} << 20;
  /// Pages in the WAL after which they are moved to the database: 1 or more.
  int wal_pages_max = 1'000;
  /// Whether this may be the first connection of its process to the file: what
  /// a killed process left in the WAL is settled then, which writes all of it
  /// again. Later ones find it settled.
  bool settles_wal = true;
  /// Name of a registered SQLite VFS; empty is the operating system's. This is
  /// where a simulated disk goes under the store: every byte and every fsync
  /// of this connection passes through it, none goes around it, and it waits
  /// as that VFS sleeps. No directories are made on one. It must outlive the
  /// connection.
  std::string vfs = {};
};

/// One SQLite connection: WAL, synchronous=FULL, so that a commit that
/// returned has been fsynced. Several connections, also of several processes,
/// may share the file; one writes at a time. With `statement` and
/// `transaction` the store's only user of SQLite's API.
///
/// SQLite before 3.51.3 may lose what is in the WAL when somebody commits while
/// another checkpoints ("the WAL-reset bug"), and Debian's is older. So nobody
/// checkpoints by himself here: it is done while the write lock is held.
/// @thread any, one at a time
class database {
public:
  /// Opens or creates `file` and the directories above it. What is found in
  /// it is durable when this returns.
  /// Fails with errc::store_failed, which names the file: not a database, no
  /// permission, write-protected, a directory that cannot be made.
  [[nodiscard]] static caf::expected<database>
  open(const std::filesystem::path& file, const database_options& options);

  /// Executes statements that return nothing of interest.
  [[nodiscard]] caf::error execute(const std::string& sql);

  /// A statement of this database. What is wrong with `sql` is told by the
  /// cursor of its first run.
  [[nodiscard]] statement prepare(std::string sql) {
    return {handle_.get(), std::move(sql)};
  }

  /// The file, as SQLite calls it.
  [[nodiscard]] std::string name() const;

private:
  friend class transaction;

  struct closer {
    void operator()(sqlite3* x) const { sqlite3_close_v2(x); }
  };

  explicit database(sqlite3* handle) : handle_(handle) {}

  /// How often a writer tries to begin, one millisecond apart.
  struct patience {
    static int retry(void* self, int tries);

    sqlite3_vfs* vfs; // never null
    int tries_max;
    std::filesystem::path file; // empty: not of this machine
    std::function<void(int)> on_woken;
  };

  /// As of our last commit.
  struct wal_state {
    int pages = 0;
    int move_at = 0; // when it has so many, we do
  };

  using connection = std::unique_ptr<sqlite3, closer>;

  [[nodiscard]] caf::expected<connection>
  connect(const std::string& name) const;
  [[nodiscard]] caf::error use_wal();
  /// Moves what the WAL holds to the file, as far as those allow who read.
  void move_wal();
  [[nodiscard]] caf::error settle_wal();
  void committed();

  int wal_pages_max_ = 0;

  std::unique_ptr<patience> patience_;            // handle_ keeps its address
  std::unique_ptr<wal_state> wal_{new wal_state}; // and this one's
  connection handle_;
};

/// A transaction that is rolled back unless `commit` succeeded.
class transaction {
public:
  enum class kind {
    /// One snapshot for all reads; never waits for writers.
    read,
    /// Excludes other writers from its beginning on.
    write,
  };

  transaction(database& owner, kind what);
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();

  /// None, or why it could not begin.
  [[nodiscard]] const caf::error& error() const { return error_; }

  /// Durable when it returns none. Otherwise nothing was changed for now; what
  /// an fsync failed for may still be found by whoever opens the file next.
  [[nodiscard]] caf::error commit();

private:
  database& owner_;
  caf::error error_;
};

} // namespace rookery::store
