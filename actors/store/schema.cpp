#include "actors/store/schema.hpp"

#include "actors/errc.hpp"

namespace rookery::store {

namespace {

// What every kind of store has. `log` rows are kept for ever in this version.
constexpr auto shared_tables = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE writers(
  log TEXT PRIMARY KEY,
  incarnation INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  last_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE log(
  log TEXT NOT NULL,
  seq INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  user INTEGER NOT NULL,
  subject INTEGER NOT NULL,
  PRIMARY KEY(log, seq)) WITHOUT ROWID;
CREATE TABLE idempotency_keys(
  log TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint INTEGER NOT NULL,
  answer INTEGER NOT NULL,
  used_at_ms INTEGER NOT NULL,
  PRIMARY KEY(log, key)) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys(log, used_at_ms);
)";

caf::error mismatch(const database& db, const std::string& why) {
  return caf::make_error(actors::errc::store_mismatch,
                         "store " + db.name() + ": " + why);
}

caf::error create(database& db, const schema& wanted) {
  if (auto error = db.execute(shared_tables + wanted.tables))
    return error;
  auto meta = db.prepare("INSERT INTO meta VALUES(?1, ?2)");
  auto writer = db.prepare("INSERT INTO writers VALUES(?1,0,0,0)");
  if (auto error = meta.execute("schema_version", schema_version))
    return error;
  if (auto error = meta.execute(wanted.count_key, wanted.count))
    return error;
  for (auto& log : wanted.logs)
    if (auto error = writer.execute(log))
      return error;
  return caf::none;
}

caf::error check_key(database& db, const std::string& key,
                     std::uint64_t wanted) {
  auto select = db.prepare("SELECT value FROM meta WHERE key = ?1");
  auto rows = select.run(key);
  if (!rows.next()) {
    if (auto error = rows.error())
      return error;
    return mismatch(db, "has no " + key + ", so it is another kind of store");
  }
  auto stored = rows.number(0);
  if (stored == wanted)
    return caf::none;
  return mismatch(db, key + " is " + std::to_string(stored)
                          + " in the store, wanted " + std::to_string(wanted));
}

/// Stores of earlier builds have none yet.
caf::expected<std::uint64_t> id_of(database& db) {
  if (auto error = db.execute("INSERT OR IGNORE INTO meta VALUES('store_id', "
                              "random() & 0x7fffffffffffffff)"))
    return error;
  auto select = db.prepare("SELECT value FROM meta WHERE key = 'store_id'");
  auto rows = select.run();
  if (rows.next())
    return rows.number(0);
  if (auto error = rows.error())
    return error;
  return mismatch(db, "has no store_id");
}

caf::expected<bool> exists(database& db, const std::string& condition) {
  auto select = db.prepare("SELECT 1 FROM sqlite_master WHERE " + condition);
  auto rows = select.run();
  auto found = rows.next();
  if (auto error = rows.error())
    return error;
  return found;
}

} // namespace

caf::expected<std::uint64_t> prepare_schema(database& db,
                                            const schema& wanted) {
  // A write lock even for the check: two processes may come to make the same
  // store at the same time.
  transaction tx{db, transaction::kind::write};
  if (tx.error())
    return tx.error();
  auto used = exists(db, "1");
  auto ours = exists(db, "name = 'meta' AND type = 'table'");
  if (!used)
    return used.error();
  if (!ours)
    return ours.error();
  if (*used && !*ours)
    return mismatch(db, "is a database, but not a rookery store");
  if (!*used)
    if (auto error = create(db, wanted))
      return error;
  if (auto error = check_key(db, "schema_version", schema_version))
    return error;
  if (auto error = check_key(db, wanted.count_key, wanted.count))
    return error;
  auto id = id_of(db);
  if (!id)
    return id;
  if (auto error = tx.commit())
    return error;
  return id;
}

} // namespace rookery::store
