// Formats are those of sqlite.org/fileformat2.html and
// sqlite.org/walformat.html, which processes with different versions of SQLite
// share.
#include "bridge/wal/wal.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace rookery::wal {

namespace {

constexpr sqlite3_int64 chunk_bytes = 64 << 10;

// Of the log: numbers are big-endian. Each frame has the salt of the header, or
// is from before the log began anew, and nobody reads from there on.
constexpr sqlite3_int64 header_bytes = 32;
constexpr int page_bytes_at = 8;
constexpr int salt_at = 16;
constexpr sqlite3_int64 frame_header_bytes = 24;
constexpr int frame_salt_at = 8;
constexpr int salt_bytes = 8;

// Of the index in shared memory: numbers are the machine's.
constexpr int region_bytes = 32 << 10;
constexpr std::uint32_t index_version = 3'007'000;
constexpr int counted_at = 96;

struct file {
  sqlite3_file* handle = nullptr;
  sqlite3_int64 size = 0;
};

// A connection opens the log and maps its index when it first looks at the
// database.
int find(sqlite3* db, int which, file& result) {
  auto code =
      sqlite3_exec(db, "PRAGMA user_version", nullptr, nullptr, nullptr);
  if (code == SQLITE_OK)
    code = sqlite3_file_control(db, "main", which, &result.handle);
  if (code != SQLITE_OK)
    return code;
  if (result.handle == nullptr || result.handle->pMethods == nullptr)
    return SQLITE_NOTFOUND;
  return result.handle->pMethods->xFileSize(result.handle, &result.size);
}

int sync(const file& x) {
  return x.handle->pMethods->xSync(x.handle, SQLITE_SYNC_NORMAL);
}

int read(const file& x, char* target, sqlite3_int64 bytes, sqlite3_int64 at) {
  return x.handle->pMethods->xRead(x.handle, target, static_cast<int>(bytes),
                                   at);
}

// Cuts off what nobody reads: megabytes, after one who read for long.
int cut_off_old(file& log) {
  std::array<char, header_bytes> header{};
  if (log.size < header_bytes) {
    log.size = 0;
    return SQLITE_OK;
  }
  auto code = read(log, header.data(), header_bytes, 0);
  std::uint32_t page_bytes = 0;
  for (int i = 0; i < 4; ++i)
    page_bytes =
        page_bytes << 8 | static_cast<unsigned char>(header[page_bytes_at + i]);
  if (page_bytes < 512 || page_bytes > 65'536
      || !std::has_single_bit(page_bytes))
    log.size = header_bytes; // SQLite reads no further either
  const auto frame_bytes = frame_header_bytes + page_bytes;
  auto end = header_bytes;
  std::array<char, frame_header_bytes> frame{};
  for (; code == SQLITE_OK && end + frame_bytes <= log.size;
       end += frame_bytes) {
    code = read(log, frame.data(), frame_header_bytes, end);
    if (!std::equal(&frame[frame_salt_at], &frame[frame_salt_at + salt_bytes],
                    &header[salt_at]))
      break;
  }
  log.size = end;
  return code;
}

// How many frames count as moved.
int find_counted(const file& database, volatile std::uint32_t*& result) {
  volatile void* region = nullptr;
  auto code = database.handle->pMethods->xShmMap(database.handle, 0,
                                                 region_bytes, 0, &region);
  if (code != SQLITE_OK || region == nullptr)
    return code == SQLITE_OK ? SQLITE_NOTFOUND : code;
  auto* numbers = static_cast<volatile std::uint32_t*>(region);
  if (numbers[0] != index_version)
    return SQLITE_MISMATCH;
  result = numbers + counted_at / sizeof *numbers;
  return SQLITE_OK;
}

} // namespace

int write_again(sqlite3* db) {
  file log;
  auto code = find(db, SQLITE_FCNTL_JOURNAL_POINTER, log);
  if (code == SQLITE_OK)
    code = cut_off_old(log);
  if (code != SQLITE_OK || log.size == 0)
    return code;
  std::vector<char> bytes(
      static_cast<std::size_t>(std::min(log.size, chunk_bytes)));
  for (sqlite3_int64 at = 0; at < log.size; at += chunk_bytes) {
    const auto count = std::min(chunk_bytes, log.size - at);
    code = read(log, bytes.data(), count, at);
    if (code == SQLITE_OK)
      code = log.handle->pMethods->xWrite(log.handle, bytes.data(),
                                          static_cast<int>(count), at);
    if (code != SQLITE_OK)
      return code;
  }
  return sync(log);
}

int move(sqlite3* db) {
  file database;
  volatile std::uint32_t* counted = nullptr;
  auto code = find(db, SQLITE_FCNTL_FILE_POINTER, database);
  if (code == SQLITE_OK)
    code = find_counted(database, counted);
  if (code != SQLITE_OK)
    return code;
  int in_log = 0;
  int moved = 0;
  code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE,
                                   &in_log, &moved);
  if (code == SQLITE_OK && moved < in_log)
    code = sync(database);
  if (code != SQLITE_OK)
    *counted = 0;
  return code;
}

void move_on_close(sqlite3* db, bool on) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
}

} // namespace rookery::wal
