#pragma once

#include "tests/sim/disk.hpp"
#include "tests/sim/lock_table.hpp"
#include "tests/sim/shared_memory.hpp"

#include <sqlite3.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace rookery::sim {

/// A file under any name, or under none.
struct inode {
  disk_file content;
  lock_table locks;
  std::weak_ptr<shared_memory> wal_index;
};

/// A file as SQLite has it open.
struct open_file {
  disk_process_state* process;
  std::shared_ptr<inode> node;
  std::string name; // empty if it has none
  /// Its first sync has to make its name durable, too.
  bool syncs_directory = false;
  bool deleted_on_close = false;
  std::shared_ptr<shared_mapping> wal_index = {};
};

/// What is behind `disk_process`. Stays for as long as the disk, for SQLite
/// keeps the address of `vfs`.
struct disk_process_state {
  disk_state* disk = nullptr;
  int name = 0;
  bool killed = false;
  disk_faults faults;
  disk_counts counts;
  std::vector<open_file*> files; // owned by SQLite until it closes them
  std::string vfs_name;
  sqlite3_vfs vfs{};

  void kill();
  /// Tells the watcher what is about to happen. False if it must not.
  [[nodiscard]] bool may(disk_event what);
};

/// What is behind `disk`.
struct disk_state {
  using directory = std::map<std::string, std::shared_ptr<inode>>;

  directory entries;         // as processes see them
  directory durable_entries; // as they are on the medium
  std::vector<std::unique_ptr<disk_process_state>> processes;
  std::mt19937_64 random;
  std::int64_t unix_ms = 0;
  disk::watcher watcher;

  /// The names in the directory of the file `name` are on the medium.
  void sync_directory(const std::string& name);
  void lose_names(std::mt19937_64& random);
};

/// Fills in and registers `process.vfs`.
void register_vfs(disk_process_state& process);

} // namespace rookery::sim
