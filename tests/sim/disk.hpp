#pragma once

#include "tests/sim/disk_file.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rookery::sim {

struct disk_state;
struct disk_process_state;

/// What is wrong with the disk, as one process finds it.
struct disk_faults {
  enum class space {
    enough,
    /// A write that makes a file longer fails with SQLITE_FULL.
    no_growth,
    /// Every write does.
    no_write,
  };
  space left = space::enough;
  /// So many syncs from now on fail with SQLITE_IOERR_FSYNC. What they were to
  /// write is then in doubt, until it is written again: see
  /// disk_file::fail_sync. A process started later without a power loss before
  /// finds it in the page cache, which is no proof that it is on the medium:
  /// true of Linux.
  std::uint32_t failing_syncs = 0;
  /// No read works, as with EIO on Linux. SQLite calls that damage: its code is
  /// SQLITE_CORRUPT.
  bool no_read = false;
  /// Syncs say OK and do nothing. A deliberate bug, not a fault.
  bool skip_fsync = false;
};

/// What took effect. `writes` and `syncs` are those that worked.
struct disk_counts {
  std::uint64_t writes = 0;
  std::uint64_t syncs = 0;
  std::uint64_t writes_refused = 0; // the disk was full
  std::uint64_t syncs_failed = 0;
  std::uint64_t syncs_skipped = 0;
  std::uint64_t sleeps = 0; // waits of a millisecond or so for a lock
};

/// What a process is about to do: see disk::watch.
enum class disk_event { write, truncate, remove, sync, sleep };

/// An operating system process as the disk sees it: a VFS of SQLite. Give
/// `vfs()` to store::database_options, and a `busy_timeout` of a few tries:
/// in one thread nobody else moves while it waits. Must not outlive its disk;
/// the databases it opened may outlive it, but not the disk. Movable.
class disk_process {
public:
  disk_process() = default;
  explicit disk_process(disk_process_state& state) : state_(&state) {}
  /// Kills the process and unregisters the VFS.
  ~disk_process() = default;
  disk_process(disk_process&&) noexcept = default;
  disk_process& operator=(disk_process&&) noexcept = default;

  /// The name of the VFS, registered until this object is destroyed.
  [[nodiscard]] const std::string& vfs() const;

  /// kill -9. What it wrote stays in the page cache, its locks are gone. Every
  /// later call of its databases fails with SQLITE_IOERR and changes nothing,
  /// so that they can be closed whenever it suits.
  void kill();
  [[nodiscard]] bool killed() const;
  /// It writes to a database in WAL mode: a commit is under way.
  [[nodiscard]] bool in_transaction() const;

  /// Takes effect at once.
  [[nodiscard]] disk_faults& faults();
  [[nodiscard]] const disk_counts& counts() const;

private:
  struct retire {
    void operator()(disk_process_state* state) const;
  };

  std::unique_ptr<disk_process_state, retire> state_;
};

/// A disk in memory on which real SQLite runs, for simulations: nothing
/// sleeps, nothing draws on the machine's clock or randomness, and the same
/// seed and calls give the same bytes.
///
/// What a power loss leaves is read strictly. Content and size of a file
/// survive from its last sync; what came after survives in part. That a file
/// was made or deleted survives from the next sync of its directory, which
/// happens where SQLite's Unix VFS has it: with the first sync of a journal or
/// WAL after it was opened, and when SQLite deletes with `syncDir`. Until then
/// each name comes back as it is or as it was. WAL-indexes and locks never
/// survive.
///
/// While it lives, SQLite's own random numbers follow from the seed, too: they
/// are the program's, so have one disk at a time.
/// @thread one, that of all its databases
class disk {
public:
  /// Called before a process changes something or waits. May kill it, or cut
  /// the power, and the change does not happen; may use other processes'
  /// databases. Must not throw.
  using watcher = std::function<void(int process, disk_event what)>;

  explicit disk(std::uint64_t seed);
  disk(const disk&) = delete;
  disk& operator=(const disk&) = delete;
  /// All databases must be closed.
  ~disk();

  /// Starts a process. `name` is for the watcher; it may be used again.
  [[nodiscard]] disk_process start(int name);

  /// Kills all processes and loses what was not synced, in part: `seed`
  /// decides which. Returns how many sectors were at stake.
  sector_counts power_loss(std::uint64_t seed);

  void watch(watcher x);

  /// What time it is for SQL, in milliseconds since 1970.
  void set_time(std::int64_t unix_ms);

  /// The files there are, in order.
  [[nodiscard]] std::vector<std::string> files() const;

  /// A hash of all names and contents, both cached and durable.
  [[nodiscard]] std::uint64_t digest() const;

private:
  std::unique_ptr<disk_state> state_;
};

} // namespace rookery::sim
