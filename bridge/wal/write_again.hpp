#pragma once

struct sqlite3;

namespace rookery::wal {

/// Makes the write-ahead log of `db` durable as it is: writes all its bytes
/// again, and syncs. To be done by each process that opens a database, before
/// it builds on what it found.
///
/// A killed process may leave a commit in the log that it did not sync, or
/// tried to in vain. After a failed fsync Linux counts the pages as clean: the
/// page cache shows the commit, the medium has none or a part of it, and no
/// later fsync changes that. Nobody may see such a commit and then lose it.
/// Nor may it be moved to the database: a power loss on the way would leave a
/// half of it there, and no log to complete it from. Bytes that were written
/// again are dirty, so that fsync writes them or fails. (Rebello et al., "Can
/// Applications Recover from fsync Failures?", USENIX ATC 2020.)
///
/// `db` is in WAL mode. Nobody else may write to it meanwhile: call it inside
/// of BEGIN IMMEDIATE, or with locking_mode=EXCLUSIVE. Whoever reads is not
/// disturbed.
/// @returns SQLITE_OK, or SQLite's code of what failed; then nothing that is
/// found there may be built upon
/// @thread that of `db`
[[nodiscard]] int write_again(sqlite3* db);

/// Whether the last connection that closes moves the log to the database, as
/// SQLite does by itself. It must not before `write_again`.
void move_on_close(sqlite3* db, bool on);

} // namespace rookery::wal
