#include "actors/store/database.hpp"

#include "actors/errc.hpp"
#include "actors/store/stopped_writer.hpp"
#include "bridge/wal/wal.hpp"

#include <algorithm>
#include <cstring>
#include <system_error>

namespace rookery::store {

namespace {

constexpr int looks_after = 250; // tries

// Pages after which a move is tried again that did not empty the WAL.
constexpr int wal_pages_more = 100;

caf::error refuse(const std::filesystem::path& file, const std::string& why) {
  return caf::make_error(actors::errc::store_failed,
                         "store " + file.string() + ": " + why);
}

caf::error make_directories(const std::filesystem::path& file) {
  std::error_code failure;
  if (file.has_parent_path())
    std::filesystem::create_directories(file.parent_path(), failure);
  if (!failure)
    return caf::none;
  return refuse(file, "cannot create directory " + file.parent_path().string()
                          + ": " + failure.message());
}

} // namespace

/// Tries again every millisecond. SQLite's own timeout backs off to 100 ms,
/// which lets a busy writer starve the others. Sleeps as the VFS does, whose
/// time may be simulated.
///
/// A process that is stopped in the middle of its transaction would keep all
/// others from writing, also those that took over its logs. The lock is the
/// kernel's: nobody can break it, but its holder can be made to go on.
int database::patience::retry(void* self, int tries) {
  auto& x = *static_cast<const patience*>(self);
  if (tries >= x.tries_max)
    return 0;
  if (!x.file.empty() && tries % looks_after == looks_after - 1)
    if (auto process = stopped_writer(x.file); process && wake(*process))
      if (x.on_woken)
        x.on_woken(*process);
  x.vfs->xSleep(x.vfs, 1000);
  return 1;
}

caf::expected<database> database::open(const std::filesystem::path& file,
                                       const database_options& options) {
  if (options.vfs.empty()) // another one has its own directories, if any
    if (auto error = make_directories(file))
      return error;
  sqlite3* handle = nullptr;
  // NOMUTEX: one thread at a time is our promise.
  auto flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  auto vfs = options.vfs.empty() ? nullptr : options.vfs.c_str();
  auto code = sqlite3_open_v2(file.c_str(), &handle, flags, vfs);
  database result{handle}; // a failed open leaves a handle to close, too
  if (code != SQLITE_OK) {
    std::string why = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    if (auto number = handle ? sqlite3_system_errno(handle) : 0; number != 0)
      why += std::string{": "} + std::strerror(number);
    return refuse(file, why);
  }
  wal::move_on_close(handle, false); // not before it is settled
  sqlite3_extended_result_codes(handle, 1);
  if (sqlite3_db_readonly(handle, "main") == 1)
    return refuse(file, "is write-protected");
  result.patience_ = std::make_unique<patience>(patience{
      sqlite3_vfs_find(vfs), static_cast<int>(options.busy_timeout.count()),
      options.vfs.empty() ? file : std::filesystem::path{}, options.on_woken});
  sqlite3_busy_handler(handle, patience::retry, result.patience_.get());
  if (auto error = result.use_wal())
    return error;
  auto cache_kib = std::to_string(options.cache_bytes_max / 1024);
  if (auto error = result.execute("PRAGMA synchronous=FULL;"
                                  "PRAGMA journal_size_limit=67108864;"
                                  "PRAGMA cache_size=-"
                                  + cache_kib))
    return error;
  result.wal_pages_max_ = options.wal_pages_max;
  // Instead of SQLite's own, which checkpoints; PRAGMA wal_autocheckpoint would
  // take it away.
  sqlite3_wal_hook(
      handle,
      [](void* state, sqlite3*, const char*, int pages) {
        auto& wal = *static_cast<wal_state*>(state);
        if (pages < wal.pages) // it began anew
          wal.move_at = 0;
        wal.pages = pages;
        return SQLITE_OK;
      },
      result.wal_.get());
  if (options.settles_wal)
    if (auto error = result.settle_wal())
      return error;
  wal::move_on_close(handle, true);
  return result;
}

caf::error database::execute(const std::string& sql) {
  auto code =
      sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? caf::error{} : last_error(handle_.get());
}

std::string database::name() const {
  auto file = sqlite3_db_filename(handle_.get(), "main");
  return file ? file : "?";
}

caf::error database::use_wal() {
  // SQLite does not call the busy handler when two connections switch a new
  // file at the same time, so this waits by itself.
  for (int tries = 0;; ++tries) {
    auto pragma = prepare("PRAGMA journal_mode=WAL");
    auto mode = pragma.run();
    while (mode.next()) // to the end, where SQLite writes it down
      if (mode.text(0) != "wal")
        return refuse(name(), "WAL does not work on this file system");
    auto error = mode.error();
    if (sqlite3_errcode(handle_.get()) != SQLITE_BUSY
        || patience::retry(patience_.get(), tries) == 0)
      return error;
  }
}

caf::expected<database::connection>
database::connect(const std::string& file) const {
  sqlite3* handle = nullptr;
  auto code = sqlite3_open_v2(file.c_str(), &handle,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                              patience_->vfs->zName);
  connection result{handle};
  if (code != SQLITE_OK)
    return refuse(file, sqlite3_errstr(code));
  return result;
}

void database::committed() {
  if (wal_->pages < std::max(wal_->move_at, wal_pages_max_))
    return;
  wal_->move_at = wal_->pages + wal_pages_more;
  move_wal();
}

/// What cannot be moved now is moved later; it is durable where it is. Who
/// holds the write lock is the only one who could begin the WAL anew, so it
/// is held by this connection while another one moves.
void database::move_wal() {
  auto mover = connect(name());
  if (!mover)
    return;
  wal::move_on_close(mover->get(), false);
  transaction mine{*this, transaction::kind::write};
  if (!mine.error())
    static_cast<void>(wal::move(mover->get()));
}

caf::error database::settle_wal() {
  transaction alone{*this, transaction::kind::write};
  if (alone.error())
    return alone.error();
  if (auto code = wal::write_again(handle_.get()); code != SQLITE_OK)
    return refuse(name(), std::string{"what is in its WAL cannot be synced: "}
                              + sqlite3_errstr(code));
  return caf::none;
}

transaction::transaction(database& owner, kind what) : owner_(owner) {
  error_ = owner.execute(what == kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

transaction::~transaction() {
  // SQLite ends some failed transactions by itself.
  auto handle = owner_.handle_.get();
  if (!error_ && sqlite3_get_autocommit(handle) == 0)
    sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

caf::error transaction::commit() {
  auto handle = owner_.handle_.get();
  if (sqlite3_exec(handle, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK)
    return last_error(handle);
  owner_.committed();
  return caf::none;
}

} // namespace rookery::store
