#include "bridge/spill/spill_file.hpp"

#include "bridge/wal/wal.hpp"

#include <sqlite3.h>

#include <cstring>
#include <system_error>
#include <utility>

namespace rookery::bridge {

namespace {

// "ROOK" in the file's header: nobody else's database is taken for a spill.
constexpr int application_id = 0x524f4f4b;
constexpr int version = 2; // rises when amqp::encode_head changes, too

constexpr auto make_index =
    "CREATE INDEX message_to ON message(address, place)";

std::int64_t sign(std::uint64_t x) { return static_cast<std::int64_t>(x); }

std::uint64_t unsigned_at(const auto& x, int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(x.get(), column));
}

std::string bytes_at(const auto& x, int column) {
  const auto* data = sqlite3_column_blob(x.get(), column);
  const auto size = sqlite3_column_bytes(x.get(), column);
  return data ? std::string{static_cast<const char*>(data),
                            static_cast<std::size_t>(size)}
              : std::string{};
}

void set_number(const auto& x, int at, std::uint64_t value) {
  sqlite3_bind_int64(x.get(), at, sign(value));
}

// Both may fail for want of memory only; then the value is NULL, which the
// schema refuses.
void set_text(const auto& x, int at, std::string_view value) {
  sqlite3_bind_text64(x.get(), at, value.data(), value.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}
void set_bytes(const auto& x, int at, std::string_view value) {
  sqlite3_bind_blob64(x.get(), at, value.data(), value.size(), SQLITE_STATIC);
}

} // namespace

void spill_file::closer::operator()(sqlite3* x) const { sqlite3_close_v2(x); }
void spill_file::closer::operator()(sqlite3_stmt* x) const {
  sqlite3_finalize(x);
}

spill_file::spill_file(spill_options options) : options_{std::move(options)} {}

expected<std::shared_ptr<spill_file>, std::string>
spill_file::open(spill_options options) {
  std::shared_ptr<spill_file> result{new spill_file{std::move(options)}};
  auto why = result->connect();
  if (!why)
    why = result->prepare_schema();
  if (!why)
    why = result->take_stock();
  if (why)
    return unexpected{"spill " + result->options_.file.string() + ": " + *why};
  return result;
}

void spill_file::close() {
  for (auto* x : {&insert_, &erase_, &select_, &select_head_, &select_place_})
    x->reset();
  handle_.reset();
}

spill_file::error spill_file::connect() {
  if (options_.vfs.empty() && options_.file.has_parent_path()) {
    std::error_code failure;
    std::filesystem::create_directories(options_.file.parent_path(), failure);
    if (failure)
      return "cannot create its directory: " + failure.message();
  }
  sqlite3* handle = nullptr;
  // NOMUTEX: one thread at a time is our promise.
  const auto code = sqlite3_open_v2(
      options_.file.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      options_.vfs.empty() ? nullptr : options_.vfs.c_str());
  handle_.reset(handle); // a failed open leaves a handle to close, too
  if (code != SQLITE_OK)
    return fault();
  wal::move_on_close(handle, false); // not before it is settled
  sqlite3_extended_result_codes(handle, 1);
  if (sqlite3_db_readonly(handle, "main") == 1)
    return "is write-protected";
  return std::nullopt;
}

spill_file::error spill_file::prepare_schema() {
  // EXCLUSIVE before the first look at it, which takes the lock for good: no
  // other process gets in, and the WAL needs no shared memory.
  if (auto why = execute("PRAGMA locking_mode=EXCLUSIVE"))
    return why;
  statement header;
  if (auto why = prepare("SELECT (SELECT application_id FROM "
                         "pragma_application_id), (SELECT user_version FROM "
                         "pragma_user_version), (SELECT count(*) FROM "
                         "sqlite_schema)",
                         header))
    return why;
  if (sqlite3_step(header.get()) != SQLITE_ROW)
    return fault();
  const auto empty = unsigned_at(header, 2) == 0;
  if (!empty && unsigned_at(header, 0) != application_id)
    return "is not a spill";
  const auto found = unsigned_at(header, 1);
  if (!empty && (found < 1 || found > version))
    return "has another version's format";
  header.reset();
  if (auto why = execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                         "PRAGMA journal_size_limit=16777216"))
    return why;
  if (auto why = settle_wal())
    return why;
  if (!empty) {
    if (found == 1)
      if (auto why = execute("BEGIN IMMEDIATE; ALTER TABLE message ADD COLUMN "
                             "packs INTEGER NOT NULL DEFAULT 0; "
                             "PRAGMA user_version=2; COMMIT"))
        return why;
    return prepare_statements();
  }
  const auto make =
      "BEGIN IMMEDIATE; PRAGMA application_id=" + std::to_string(application_id)
      + "; PRAGMA user_version=" + std::to_string(version)
      + "; CREATE TABLE message("
        "place INTEGER PRIMARY KEY, address TEXT NOT NULL, "
        "expires INTEGER NOT NULL, waiting INTEGER NOT NULL, "
        "ends_stored INTEGER NOT NULL, bytes BLOB NOT NULL, "
        "packs INTEGER NOT NULL DEFAULT 0); "
      + make_index + "; COMMIT";
  if (auto why = execute(make.c_str()))
    return why;
  return prepare_statements();
}

spill_file::error spill_file::settle_wal() {
  if (const auto code = wal::write_again(handle_.get()); code != SQLITE_OK)
    return std::string{"what is in its WAL cannot be synced: "}
           + sqlite3_errstr(code);
  wal::move_on_close(handle_.get(), true);
  return std::nullopt;
}

spill_file::error spill_file::prepare_statements() {
  if (auto why = prepare("INSERT INTO message VALUES(?1, ?2, ?3, "
                         "?4, ?5, ?6, ?7)",
                         insert_))
    return why;
  if (auto why = prepare("DELETE FROM message WHERE place=?1", erase_))
    return why;
  const std::string rest =
      " FROM message WHERE address=?1 AND place>?2 ORDER BY place LIMIT ?3";
  for (auto [what, out] :
       {std::pair{"place, expires, waiting, ends_stored, packs, bytes",
                  &select_},
        // The columns in front of the bytes, which are not looked at.
        std::pair{"place, waiting, ends_stored, length(bytes)", &select_head_},
        std::pair{"place", &select_place_}}) // from the index
    if (auto why = prepare(("SELECT " + (what + rest)).c_str(), *out))
      return why;
  return std::nullopt;
}

// Without the bytes from the index alone, where no row is looked at.
spill_file::error spill_file::take_stock() {
  constexpr auto all = "sum(length(bytes)), max(place) FROM message";
  auto why = count(all);
  if (why && is_damaged())
    why = count("0, max(place) FROM message INDEXED BY message_to");
  if (why && is_damaged() && mend_index())
    why = count(all);
  return why;
}

// While the index can be read it is left alone: it finds what is behind a
// damaged row. Else nothing is in it that is not in the rows.
bool spill_file::mend_index() {
  if (rows_are_damaged_
      || !execute("SELECT max(address), total(place) FROM message "
                  "INDEXED BY message_to")
      || !is_damaged())
    return false;
  // To drop it is to read it, for its pages are freed. So it is forgotten, and
  // its pages are lost to the file.
  const auto sql = std::string{"BEGIN IMMEDIATE; PRAGMA writable_schema=ON; "
                               "DELETE FROM sqlite_schema "
                               "WHERE name='message_to'; "
                               "PRAGMA writable_schema=RESET; "}
                   + make_index + "; COMMIT";
  const auto why = execute(sql.c_str());
  rows_are_damaged_ = why && is_damaged();
  roll_back();
  return !why;
}

// Whatever is open. SQLite reads the schema again, which mend_index may have
// changed.
void spill_file::roll_back() {
  if (sqlite3_get_autocommit(handle_.get()) == 0)
    static_cast<void>(execute("ROLLBACK"));
  static_cast<void>(execute("PRAGMA writable_schema=RESET"));
}

spill_file::error spill_file::count(const char* rest) {
  statement all;
  const auto sql =
      std::string{"SELECT address, count(*), "} + rest + " GROUP BY address";
  if (auto why = prepare(sql.c_str(), all))
    return why;
  found_.clear();
  last_place_ = 0;
  int code = 0;
  while ((code = sqlite3_step(all.get())) == SQLITE_ROW) {
    found_.push_back(
        {bytes_at(all, 0), unsigned_at(all, 1), unsigned_at(all, 2)});
    last_place_ = std::max(last_place_, unsigned_at(all, 3));
  }
  return code == SQLITE_DONE ? error{} : fault();
}

bool spill_file::is_damaged() const {
  return (sqlite3_errcode(handle_.get()) & 0xff) == SQLITE_CORRUPT;
}

spill_file::written spill_file::write(const std::vector<message>& added,
                                      const std::vector<std::uint64_t>& ended) {
  auto result = transact(added, ended);
  if (result.damaged && mend_index())
    result = transact(added, ended);
  if (!result.damaged)
    return {std::move(result.why)};
  // What is damaged cannot be taken out, and keeps no other from it.
  std::vector<std::uint64_t> left;
  for (auto place : ended) {
    result = transact({}, {place});
    if (result.damaged)
      left.push_back(place);
    else if (result.why)
      return {std::move(result.why)};
  }
  return {transact(added, {}).why, std::move(left)};
}

spill_file::fate spill_file::transact(const std::vector<message>& added,
                                      const std::vector<std::uint64_t>& ended) {
  // One that could not even be rolled back, for want of memory.
  if (sqlite3_get_autocommit(handle_.get()) == 0)
    roll_back();
  fate result{execute("BEGIN IMMEDIATE")};
  if (!result.why)
    result = change(added, ended);
  if (!result.why)
    result = {execute("COMMIT")};
  // SQLite ends some failed transactions by itself.
  if (result.why && sqlite3_get_autocommit(handle_.get()) == 0)
    static_cast<void>(execute("ROLLBACK"));
  return result;
}

spill_file::fate spill_file::change(const std::vector<message>& added,
                                    const std::vector<std::uint64_t>& ended) {
  for (auto place : ended) {
    set_number(erase_, 1, place);
    if (auto why = step(erase_))
      return {std::move(why), is_damaged()};
  }
  for (const auto& x : added) {
    set_number(insert_, 1, x.place);
    set_text(insert_, 2, x.address);
    sqlite3_bind_int64(insert_.get(), 3, x.expires);
    set_number(insert_, 4, x.waiting);
    set_number(insert_, 5, x.ends_stored ? 1U : 0U);
    set_bytes(insert_, 6, x.bytes);
    set_number(insert_, 7, x.packs ? 1U : 0U);
    if (auto why = step(insert_))
      return {std::move(why), is_damaged()};
  }
  return {};
}

spill_file::error spill_file::read(const std::string& address,
                                   std::uint64_t place, std::size_t count_max,
                                   std::size_t bytes_max,
                                   std::vector<message>& out) {
  set_text(select_, 1, address);
  set_number(select_, 2, place);
  set_number(select_, 3, count_max);
  int code = 0;
  for (std::size_t bytes = 0;
       bytes < bytes_max && (code = sqlite3_step(select_.get())) == SQLITE_ROW;
       bytes += out.back().bytes.size())
    out.push_back({unsigned_at(select_, 0), address, bytes_at(select_, 5),
                   sqlite3_column_int64(select_.get(), 1),
                   unsigned_at(select_, 2), unsigned_at(select_, 3) != 0,
                   unsigned_at(select_, 4) != 0});
  auto why = code == SQLITE_ROW || code == SQLITE_DONE ? error{} : fault();
  sqlite3_reset(select_.get());
  return why;
}

std::optional<spill_file::loss>
spill_file::find_loss(const std::string& address, std::uint64_t place) {
  if (!is_damaged())
    return std::nullopt;
  for (const auto* x : {&select_head_, &select_place_}) {
    set_text(*x, 1, address);
    set_number(*x, 2, place);
    set_number(*x, 3, 1);
    std::optional<loss> result;
    if (sqlite3_step(x->get()) == SQLITE_ROW) {
      result.emplace();
      result->what.place = unsigned_at(*x, 0);
      result->what.address = address;
      if (x == &select_head_) {
        result->what.waiting = unsigned_at(*x, 1);
        result->what.ends_stored = unsigned_at(*x, 2) != 0;
        result->bytes = unsigned_at(*x, 3);
      }
    }
    sqlite3_reset(x->get());
    if (result)
      return result;
  }
  static_cast<void>(mend_index()); // for the next read
  return std::nullopt;
}

spill_file::error spill_file::execute(const char* sql) {
  const auto code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? error{} : fault();
}

spill_file::error spill_file::prepare(const char* sql, statement& out) {
  sqlite3_stmt* handle = nullptr;
  const auto code = sqlite3_prepare_v3(
      handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  out.reset(handle);
  return code == SQLITE_OK ? error{} : fault();
}

spill_file::error spill_file::step(const statement& x) {
  const auto code = sqlite3_step(x.get());
  auto why = code == SQLITE_DONE ? error{} : fault();
  sqlite3_reset(x.get());
  return why;
}

std::string spill_file::fault() const {
  const auto code = sqlite3_extended_errcode(handle_.get());
  if ((code & 0xff) == SQLITE_BUSY)
    return "is in use by another process";
  std::string result = sqlite3_errmsg(handle_.get());
  if (const auto number = sqlite3_system_errno(handle_.get()); number != 0)
    result += std::string{": "} + std::strerror(number);
  return result + " (SQLite code " + std::to_string(code) + ")";
}

} // namespace rookery::bridge
