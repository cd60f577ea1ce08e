// The calls SQLite makes into a disk. Names and duties are those of its
// sqlite3_vfs and sqlite3_io_methods; where they leave a choice, this does what
// its Unix VFS does.
#include "bridge/assert.hpp"
#include "tests/sim/disk_state.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rookery::sim {

namespace {

/// What SQLite allocates for a file.
struct handle {
  sqlite3_file base;
  open_file* file;
};

open_file& file_of(sqlite3_file* x) {
  return *reinterpret_cast<handle*>(x)->file;
}

disk_process_state& process_of(sqlite3_vfs* x) {
  return *static_cast<disk_process_state*>(x->pAppData);
}

bool killed(sqlite3_file* x) { return file_of(x).process->killed; }

std::size_t unsign(sqlite3_int64 x) { return static_cast<std::size_t>(x); }

// Files

int close_file(sqlite3_file* x) noexcept {
  std::unique_ptr<open_file> self{&file_of(x)};
  auto& process = *self->process;
  self->node->locks.drop(self.get());
  if (self->deleted_on_close && !process.killed && !self->name.empty())
    process.disk->entries.erase(self->name);
  std::erase(process.files, self.get());
  return SQLITE_OK;
}

int read(sqlite3_file* x, void* target, int bytes,
         sqlite3_int64 offset) noexcept {
  if (killed(x))
    return SQLITE_IOERR;
  if (file_of(x).process->faults.no_read)
    return SQLITE_IOERR_CORRUPTFS;
  std::span<char> span{static_cast<char*>(target), unsign(bytes)};
  auto complete = file_of(x).node->content.read(unsign(offset), span);
  return complete ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* x, const void* source, int bytes,
          sqlite3_int64 offset) noexcept {
  auto& self = file_of(x);
  auto& process = *self.process;
  if (!process.may(disk_event::write))
    return SQLITE_IOERR;
  auto& content = self.node->content;
  auto left = process.faults.left;
  auto grows = unsign(offset) + unsign(bytes) > content.size();
  if (left == disk_faults::space::no_write
      || (left == disk_faults::space::no_growth && grows)) {
    ++process.counts.writes_refused;
    return SQLITE_FULL;
  }
  content.write(unsign(offset),
                {static_cast<const char*>(source), unsign(bytes)});
  ++process.counts.writes;
  return SQLITE_OK;
}

int truncate(sqlite3_file* x, sqlite3_int64 size) noexcept {
  auto& self = file_of(x);
  if (!self.process->may(disk_event::truncate))
    return SQLITE_IOERR;
  self.node->content.truncate(unsign(size));
  return SQLITE_OK;
}

int sync(sqlite3_file* x, int) noexcept {
  auto& self = file_of(x);
  auto& process = *self.process;
  if (!process.may(disk_event::sync))
    return SQLITE_IOERR;
  if (process.faults.skip_fsync) {
    ++process.counts.syncs_skipped;
    return SQLITE_OK;
  }
  if (process.faults.failing_syncs > 0) {
    --process.faults.failing_syncs;
    ++process.counts.syncs_failed;
    self.node->content.fail_sync(process.disk->random);
    return SQLITE_IOERR_FSYNC;
  }
  self.node->content.sync();
  if (std::exchange(self.syncs_directory, false))
    process.disk->sync_directory(self.name);
  ++process.counts.syncs;
  return SQLITE_OK;
}

int size(sqlite3_file* x, sqlite3_int64* result) noexcept {
  if (killed(x))
    return SQLITE_IOERR;
  *result = static_cast<sqlite3_int64>(file_of(x).node->content.size());
  return SQLITE_OK;
}

int lock(sqlite3_file* x, int level) noexcept {
  if (killed(x))
    return SQLITE_IOERR;
  auto& self = file_of(x);
  return self.node->locks.lock(&self, level) ? SQLITE_OK : SQLITE_BUSY;
}

int unlock(sqlite3_file* x, int level) noexcept {
  if (killed(x))
    return SQLITE_IOERR;
  file_of(x).node->locks.unlock(&file_of(x), level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* x, int* result) noexcept {
  if (killed(x))
    return SQLITE_IOERR;
  *result = file_of(x).node->locks.reserved() ? 1 : 0;
  return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) noexcept { return SQLITE_NOTFOUND; }

int sector_size(sqlite3_file*) noexcept { return 4096; }

int characteristics(sqlite3_file*) noexcept {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

// The WAL-index

/// One mapping serves all connections of a process, as SQLite's own VFS has it.
std::shared_ptr<shared_mapping> wal_index_of(const open_file& self) {
  for (auto other : self.process->files)
    if (other->node == self.node && other->wal_index)
      return other->wal_index;
  auto memory = self.node->wal_index.lock();
  if (!memory)
    self.node->wal_index = memory = std::make_shared<shared_memory>();
  return std::make_shared<shared_mapping>(std::move(memory));
}

int map_region(sqlite3_file* x, int index, int bytes, int extend,
               void volatile** result) noexcept {
  *result = nullptr;
  if (killed(x))
    return SQLITE_IOERR;
  auto& self = file_of(x);
  if (!self.wal_index)
    self.wal_index = wal_index_of(self);
  if (extend == 0 && self.wal_index->grows(unsign(index), unsign(bytes)))
    return SQLITE_OK;
  *result = self.wal_index->region(unsign(index), unsign(bytes));
  return *result ? SQLITE_OK : SQLITE_IOERR_SHMMAP;
}

int lock_slots(sqlite3_file* x, int first, int count, int flags) noexcept {
  if (killed(x))
    return SQLITE_IOERR;
  auto& self = file_of(x);
  auto slots = ((1U << count) - 1) << first;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    self.node->locks.unlock_slots(&self, slots);
    return SQLITE_OK;
  }
  auto alone = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  auto got = self.node->locks.lock_slots(&self, slots, alone);
  return got ? SQLITE_OK : SQLITE_BUSY;
}

void barrier(sqlite3_file*) noexcept {} // there is one thread

int unmap_regions(sqlite3_file* x, int) noexcept {
  auto& self = file_of(x);
  self.wal_index.reset();
  if (!self.process->killed)
    self.node->locks.drop_slots(&self);
  return SQLITE_OK;
}

const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_region,
    .xShmLock = lock_slots,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_regions,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

// The disk

/// The file of that name as `flags` want it, or null.
std::shared_ptr<inode> find_or_make(disk_state& disk, const char* name,
                                    int flags) {
  if (!name)
    return std::make_shared<inode>();
  auto found = disk.entries.find(name);
  auto made = found == disk.entries.end();
  if (made ? (flags & SQLITE_OPEN_CREATE) == 0
           : (flags & SQLITE_OPEN_EXCLUSIVE) != 0)
    return nullptr;
  if (!made)
    return found->second;
  return disk.entries.emplace(name, std::make_shared<inode>()).first->second;
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* target, int flags,
         int* flags_out) noexcept {
  auto& process = process_of(vfs);
  target->pMethods = nullptr; // nothing to close yet
  if (process.killed)
    return SQLITE_IOERR;
  auto node = find_or_make(*process.disk, name, flags);
  if (!node)
    return SQLITE_CANTOPEN;
  auto file = std::make_unique<open_file>(
      open_file{&process, std::move(node), name ? name : ""});
  constexpr auto journals =
      SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  // Also if it is there: who made it may have been killed before the sync.
  file->syncs_directory =
      (flags & SQLITE_OPEN_CREATE) != 0 && (flags & journals) != 0;
  file->deleted_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  process.files.push_back(file.get());
  reinterpret_cast<handle*>(target)->file = file.release();
  target->pMethods = &methods;
  if (flags_out)
    *flags_out = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) noexcept {
  auto& process = process_of(vfs);
  if (!process.may(disk_event::remove))
    return SQLITE_IOERR;
  if (process.disk->entries.erase(name) == 0)
    return SQLITE_IOERR_DELETE_NOENT;
  if (sync_directory != 0 && !process.faults.skip_fsync)
    process.disk->sync_directory(name);
  return SQLITE_OK;
}

int access(sqlite3_vfs* vfs, const char* name, int what, int* result) noexcept {
  auto& process = process_of(vfs);
  if (process.killed)
    return SQLITE_IOERR;
  auto found = process.disk->entries.find(name);
  auto there = found != process.disk->entries.end();
  // The Unix VFS holds that an empty file does not exist.
  if (what == SQLITE_ACCESS_EXISTS)
    there = there && found->second->content.size() > 0;
  *result = there ? 1 : 0;
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int bytes,
              char* target) noexcept {
  auto needed = std::strlen(name) + 1;
  if (needed > unsign(bytes))
    return SQLITE_CANTOPEN;
  std::memcpy(target, name, needed);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int bytes, char* target) noexcept {
  for (auto& x : std::span{target, unsign(bytes)})
    x = static_cast<char>(process_of(vfs).disk->random());
  return bytes;
}

int sleep_virtually(sqlite3_vfs* vfs, int microseconds) noexcept {
  auto& process = process_of(vfs);
  if (process.may(disk_event::sleep))
    ++process.counts.sleeps;
  return microseconds;
}

int julian_ms(sqlite3_vfs* vfs, sqlite3_int64* result) noexcept {
  constexpr sqlite3_int64 julian_ms_of_1970 = 210'866'760'000'000;
  *result = julian_ms_of_1970 + process_of(vfs).disk->unix_ms;
  return SQLITE_OK;
}

int julian_days(sqlite3_vfs* vfs, double* result) noexcept {
  sqlite3_int64 ms = 0;
  auto code = julian_ms(vfs, &ms);
  *result = static_cast<double>(ms) / 86'400'000.0;
  return code;
}

int last_error(sqlite3_vfs*, int, char*) noexcept { return 0; }

} // namespace

void register_vfs(disk_process_state& process) {
  auto& vfs = process.vfs;
  // Unique among those that live; never seen in a file.
  process.vfs_name =
      "sim-" + std::to_string(reinterpret_cast<std::uintptr_t>(&process));
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(handle);
  vfs.mxPathname = 512;
  vfs.zName = process.vfs_name.c_str();
  vfs.pAppData = &process;
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = full_name;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep_virtually;
  vfs.xCurrentTime = julian_days;
  vfs.xGetLastError = last_error;
  vfs.xCurrentTimeInt64 = julian_ms;
  ROOKERY_ASSERT(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

} // namespace rookery::sim
