#pragma once

struct sqlite3;

/// What SQLite's write-ahead log needs besides SQLite, so that no fsync that
/// fails, no kill and no power loss, in any order, takes what was acknowledged.
/// (But for a kill in the instant after a failed fsync, before anything could
/// be done about it, with a power loss later. Other programs that write to the
/// database, such as a shell, take no such care.)
///
/// After a failed fsync Linux counts the pages of the file as clean: the page
/// cache shows what was written, the medium has none or a part of it, and no
/// later fsync changes that, unless the pages are written again. (Rebello et
/// al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.)
/// Those who return a number return SQLITE_OK, or SQLite's code of what failed.
/// @thread that of the connection
namespace rookery::wal {

/// Makes the log of `db` durable as it is: writes all of it that counts again,
/// and syncs. To be done by each process that opens a database, before it
/// builds on what it found: a killed process may leave a commit in the log that
/// it did not sync, or tried to in vain. Nobody may see it and then lose it,
/// nor move it to the database: a power loss on the way would leave a half of
/// it there, and no log to complete it from.
///
/// `db` is in WAL mode. Nobody else may write to it meanwhile: call it inside
/// of BEGIN IMMEDIATE, or with locking_mode=EXCLUSIVE. Whoever reads is not
/// disturbed. When it fails, nothing found may be built upon.
[[nodiscard]] int write_again(sqlite3* db);

/// Moves what the log holds to the database, as far as those allow who read,
/// and syncs. Another connection of the caller holds the write lock meanwhile.
///
/// SQLite syncs only a move of everything, yet counts all. If the sync of a
/// later move failed, the pages of both would be in doubt, and only those of
/// the later one written again. So each move is synced here; and if it fails,
/// nothing counts as moved, and the next one begins at the front.
[[nodiscard]] int move(sqlite3* db);

/// Whether `db`, should it be the last connection to close, moves the log to
/// the database, as it does by default. It must not before `write_again`.
void move_on_close(sqlite3* db, bool on);

} // namespace rookery::wal
