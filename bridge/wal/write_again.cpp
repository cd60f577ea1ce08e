#include "bridge/wal/write_again.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <vector>

namespace rookery::wal {

namespace {

constexpr sqlite3_int64 chunk_bytes = 64 << 10;

// The log is open from the first look at the database on.
int find_log(sqlite3* db, sqlite3_file*& log) {
  auto code =
      sqlite3_exec(db, "PRAGMA user_version", nullptr, nullptr, nullptr);
  if (code == SQLITE_OK)
    code = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code == SQLITE_OK && (log == nullptr || log->pMethods == nullptr))
    code = SQLITE_NOTFOUND;
  return code;
}

} // namespace

int write_again(sqlite3* db) {
  sqlite3_file* log = nullptr;
  if (auto code = find_log(db, log); code != SQLITE_OK)
    return code;
  const auto& call = *log->pMethods;
  sqlite3_int64 size = 0;
  if (auto code = call.xFileSize(log, &size); code != SQLITE_OK || size == 0)
    return code;
  std::vector<char> bytes(
      static_cast<std::size_t>(std::min(size, chunk_bytes)));
  for (sqlite3_int64 at = 0; at < size; at += chunk_bytes) {
    const auto count = static_cast<int>(std::min(chunk_bytes, size - at));
    auto code = call.xRead(log, bytes.data(), count, at);
    if (code == SQLITE_OK)
      code = call.xWrite(log, bytes.data(), count, at);
    if (code != SQLITE_OK)
      return code;
  }
  return call.xSync(log, SQLITE_SYNC_NORMAL);
}

void move_on_close(sqlite3* db, bool on) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
}

} // namespace rookery::wal
