#pragma once

#include "tests/sim/disk.hpp"
#include "tests/support/catch.hpp"

#include <sqlite3.h>

#include <string>

namespace rookery::testing {

/// Leaves of a spill's file, by their first byte.
constexpr char index_leaf = '\x0a';
constexpr char table_leaf = '\x0d';

/// Lets `change` change the leaf number `which` of a kind, as damage would: in
/// the file that no process has open, and durably.
template <class Change>
void change_leaf(const sim::disk_process& on, const char* name, char kind,
                 int which, Change change) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE, on.vfs().c_str())
          == SQLITE_OK);
  sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE; SELECT * FROM message",
               nullptr, nullptr, nullptr);
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  sqlite3_int64 size = 0;
  REQUIRE(file->pMethods->xFileSize(file, &size) == SQLITE_OK);
  std::string page(4'096, '\0');
  const auto bytes = static_cast<int>(page.size());
  auto found = false;
  for (sqlite3_int64 at = bytes; at < size && !found; at += bytes) {
    REQUIRE(file->pMethods->xRead(file, page.data(), bytes, at) == SQLITE_OK);
    found = page[0] == kind && which-- == 0;
    if (!found)
      continue;
    change(page);
    REQUIRE(file->pMethods->xWrite(file, page.data(), bytes, at) == SQLITE_OK);
    REQUIRE(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK);
  }
  REQUIRE(found);
  sqlite3_close(db);
}

} // namespace rookery::testing
