#include "bridge/spill/spill_file.hpp"

#include "bridge/spill/spill_columns.hpp"
#include "bridge/wal/wal.hpp"

#include <sqlite3.h>

#include <cstring>
#include <map>
#include <system_error>
#include <utility>

namespace rookery::bridge {

namespace {

// "ROOK" in the file's header: nobody else's database is taken for a spill.
constexpr int application_id = 0x524f4f4b;
constexpr int version = 2; // rises when amqp::encode_head changes, too

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
  for (auto* x : {&insert_, &erase_, &select_})
    x->reset();
  handle_.reset();
}

void spill_file::abandon() {
  wal::move_on_close(handle_.get(), false);
  close();
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
  return std::nullopt;
}

spill_file::error spill_file::prepare_schema() {
  // EXCLUSIVE before the first look at it, which takes the lock for good: no
  // other process gets in, and the WAL needs no shared memory.
  if (auto why = execute("PRAGMA locking_mode=EXCLUSIVE"))
    return why;
  statement header;
  if (auto why =
          prepare("SELECT (SELECT application_id FROM "
                  "pragma_application_id), (SELECT user_version FROM "
                  "pragma_user_version), (SELECT count(*) FROM "
                  "sqlite_schema), (SELECT page_count FROM pragma_page_count)",
                  header))
    return why;
  if (sqlite3_step(header.get()) != SQLITE_ROW)
    return fault();
  if (sqlite3_db_readonly(handle_.get(), "main") == 1)
    return "is write-protected";
  // One that has pages and says that it has no table is damaged.
  const auto empty = unsigned_at(header, 2) == 0 && unsigned_at(header, 3) <= 1;
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
  if (!empty)
    if (auto why = check())
      return why;
  if (empty || found == 1) {
    const auto change =
        empty ? "PRAGMA application_id=" + std::to_string(application_id)
                    + "; CREATE TABLE message("
                      "place INTEGER PRIMARY KEY, address TEXT NOT NULL, "
                      "expires INTEGER NOT NULL, waiting INTEGER NOT NULL, "
                      "ends_stored INTEGER NOT NULL, bytes BLOB NOT NULL, "
                      "packs INTEGER NOT NULL DEFAULT 0); "
                      "CREATE INDEX message_to ON message(address)"
              : std::string{"ALTER TABLE message ADD COLUMN "
                            "packs INTEGER NOT NULL DEFAULT 0"};
    if (auto why =
            execute(("BEGIN IMMEDIATE; PRAGMA user_version="
                     + std::to_string(version) + "; " + change + "; COMMIT")
                        .c_str()))
      return why;
  }
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
  // An entry of the index, and the row that it names, if that is there and has
  // the same address. Place is the row's id, which is in each entry.
  return prepare("SELECT i.place, r.place, r.expires, r.waiting, "
                 "r.ends_stored, r.packs, r.bytes "
                 "FROM message i INDEXED BY message_to LEFT JOIN message r "
                 "NOT INDEXED ON r.place=i.place AND r.address=i.address "
                 "WHERE i.address=?1 AND i.place>?2 ORDER BY i.place LIMIT ?3",
                 select_);
}

spill_file::error spill_file::check() {
  statement all;
  if (auto why = prepare("PRAGMA integrity_check(1)", all))
    return why;
  if (sqlite3_step(all.get()) != SQLITE_ROW)
    return fault();
  const auto found = bytes_at(all, 0);
  if (found == "ok")
    return std::nullopt;
  wal::move_on_close(handle_.get(), false); // it is left as it is
  // The first line may be a heading.
  return "is damaged: " + found.substr(found.rfind('\n') + 1);
}

spill_file::error spill_file::take_stock() {
  statement all;
  if (auto why = prepare("SELECT place, address, length(bytes) FROM message "
                         "NOT INDEXED",
                         all))
    return why;
  std::map<std::string, backlog> found;
  int code = 0;
  while ((code = sqlite3_step(all.get())) == SQLITE_ROW) {
    last_place_ = unsigned_at(all, 0); // the greatest comes last
    auto& to = found[bytes_at(all, 1)];
    ++to.messages;
    to.bytes += unsigned_at(all, 2);
  }
  if (code != SQLITE_DONE)
    return fault();
  for (const auto& [address, each] : found)
    found_.push_back({address, each.messages, each.bytes});
  return std::nullopt;
}

bool spill_file::is_damaged() const {
  return (sqlite3_errcode(handle_.get()) & 0xff) == SQLITE_CORRUPT;
}

spill_file::fate spill_file::write(const std::vector<message>& added,
                                   const std::vector<std::uint64_t>& ended) {
  const auto roll_back = [this] { // SQLite does it by itself for some failures
    if (sqlite3_get_autocommit(handle_.get()) == 0)
      static_cast<void>(execute("ROLLBACK"));
  };
  roll_back(); // one that could not be, for want of memory
  auto why = execute("BEGIN IMMEDIATE");
  if (!why)
    why = change(added, ended);
  if (!why)
    why = execute("COMMIT");
  if (!why)
    return {};
  const auto damaged = is_damaged();
  roll_back();
  return {std::move(why), damaged};
}

spill_file::error spill_file::change(const std::vector<message>& added,
                                     const std::vector<std::uint64_t>& ended) {
  for (auto place : ended) {
    set_number(erase_, 1, place);
    if (auto why = step(erase_))
      return why;
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
      return why;
  }
  return std::nullopt;
}

spill_file::fate spill_file::read(const std::string& address,
                                  std::uint64_t place, std::size_t count_max,
                                  std::size_t bytes_max,
                                  std::vector<message>& out) {
  const auto before = out.size();
  set_text(select_, 1, address);
  set_number(select_, 2, place);
  set_number(select_, 3, count_max);
  fate result;
  int code = SQLITE_ROW;
  for (std::size_t bytes = 0; bytes < bytes_max;) {
    code = sqlite3_step(select_.get());
    if (code != SQLITE_ROW)
      break;
    const auto next = unsigned_at(select_, 0);
    if (next <= place || sqlite3_column_type(select_.get(), 1) == SQLITE_NULL) {
      result = {"its index is damaged", true};
      break;
    }
    place = next;
    out.push_back({place, address, bytes_at(select_, 6),
                   sqlite3_column_int64(select_.get(), 2),
                   unsigned_at(select_, 3), unsigned_at(select_, 4) != 0,
                   unsigned_at(select_, 5) != 0});
    bytes += out.back().bytes.size();
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    result = {fault(), is_damaged()};
  sqlite3_reset(select_.get());
  if (result.why)
    out.resize(before); // who knows from where it is wrong
  return result;
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
