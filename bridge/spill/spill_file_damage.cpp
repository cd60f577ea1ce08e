// What a spill makes of a file that is damaged, and what it costs.
#include "bridge/spill/spill_columns.hpp"
#include "bridge/spill/spill_file.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace rookery::bridge {

// By the rows and by the index: what a damaged page hides of the one is in the
// other. Only rows know how long they are.
spill_file::error spill_file::take_stock() {
  auto rows = count("length(bytes) FROM message NOT INDEXED");
  if (!rows && !is_damaged())
    return rows.error();
  auto entries = count("0 FROM message INDEXED BY message_to");
  if (!rows && !entries)
    return entries.error();
  for (const auto* x : {&rows, &entries})
    if (*x)
      last_place_ = std::max(last_place_, (*x)->last_place);
  const auto hidden = entries && (!rows || entries->messages > rows->messages);
  found_ = std::move((hidden ? entries : rows)->found);
  return std::nullopt;
}

expected<spill_file::stock, std::string> spill_file::count(const char* what) {
  statement all;
  if (auto why =
          prepare((std::string{"SELECT address, place, "} + what).c_str(), all))
    return unexpected{*why};
  stock result;
  std::map<std::string, backlog> found;
  std::int64_t last = 0; // none is negative, if the file is not damaged
  int code = 0;
  while ((code = sqlite3_step(all.get())) == SQLITE_ROW) {
    auto& each = found[bytes_at(all, 0)];
    ++each.messages;
    each.bytes += unsigned_at(all, 2);
    ++result.messages;
    last = std::max<std::int64_t>(last, sqlite3_column_int64(all.get(), 1));
  }
  if (code != SQLITE_DONE)
    return unexpected{fault()};
  for (auto& [address, each] : found)
    result.found.push_back({address, each.messages, each.bytes});
  result.last_place = static_cast<std::uint64_t>(last);
  return result;
}

// Whether it cannot be read, is out of order, names what is no row, or lacks
// one. Not where rows are missing or cannot be read: then it alone knows of
// them.
bool spill_file::index_is_wrong() {
  statement rows;
  statement entries;
  if (prepare("SELECT count(*) FROM message NOT INDEXED", rows)
      || prepare("SELECT i.address, i.place, r.place FROM message i INDEXED BY "
                 "message_to LEFT JOIN message r ON r.place=i.place",
                 entries)
      || sqlite3_step(rows.get()) != SQLITE_ROW)
    return false;
  const auto all = sqlite3_column_int64(rows.get(), 0);
  auto wrong = false;
  std::pair<std::string, sqlite3_int64> last;
  sqlite3_int64 count = 0;
  int code = 0;
  for (; (code = sqlite3_step(entries.get())) == SQLITE_ROW; ++count) {
    auto each =
        std::pair{bytes_at(entries, 0), sqlite3_column_int64(entries.get(), 1)};
    wrong = wrong || (count > 0 && each <= last)
            || sqlite3_column_type(entries.get(), 0) != SQLITE_TEXT
            || sqlite3_column_type(entries.get(), 2) == SQLITE_NULL;
    last = std::move(each);
  }
  if (code != SQLITE_DONE)
    return is_damaged();
  return count < all || (count == all && wrong);
}

bool spill_file::mend_index() {
  if (!may_mend_ || !index_is_wrong())
    return may_mend_ = false;
  // To drop it is to read it, for its pages are freed. So it is forgotten, and
  // its pages are lost to the file.
  const auto sql = std::string{"BEGIN IMMEDIATE; PRAGMA writable_schema=ON; "
                               "DELETE FROM sqlite_schema "
                               "WHERE name='message_to'; "
                               "PRAGMA writable_schema=RESET; "}
                   + make_index;
  may_mend_ = !execute(sql.c_str()) && !index_is_wrong() && !execute("COMMIT");
  roll_back();
  return may_mend_;
}

// Whatever is open. SQLite reads the schema again, which mend_index may have
// changed.
void spill_file::roll_back() {
  if (sqlite3_get_autocommit(handle_.get()) == 0)
    static_cast<void>(execute("ROLLBACK"));
  static_cast<void>(execute("PRAGMA writable_schema=RESET"));
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
    // A damaged entry may name any place; what is before this one was read.
    if (sqlite3_step(x->get()) == SQLITE_ROW
        && sqlite3_column_int64(x->get(), 0) > to_signed(place)) {
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
  return std::nullopt;
}

} // namespace rookery::bridge
