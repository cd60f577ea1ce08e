// What a spill makes of a file that is damaged, and what it costs.
#include "bridge/spill/spill_columns.hpp"
#include "bridge/spill/spill_file.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace rookery::bridge {

namespace {

// Of the index: an address and a place.
using entry = std::pair<std::string, sqlite3_int64>;

} // namespace

// By the rows and by the index: what a damaged page hides of the one is in the
// other. Only rows know how long they are.
spill_file::error spill_file::take_stock() {
  auto rows = count(false);
  if (!rows && !is_damaged())
    return rows.error();
  auto entries = count(true);
  if (!rows && !entries)
    return entries.error();
  // Also one that neither could count.
  statement last;
  if (!prepare("SELECT max(place) FROM message NOT INDEXED", last)
      && sqlite3_step(last.get()) == SQLITE_ROW)
    last_place_ = static_cast<std::uint64_t>(
        std::max<sqlite3_int64>(sqlite3_column_int64(last.get(), 0), 0));
  for (const auto* x : {&rows, &entries})
    if (*x)
      last_place_ = std::max(last_place_, (*x)->last_place);
  auto found = rows ? std::move(rows->found) : stock{}.found;
  if (entries)
    for (const auto& [address, each] : entries->found) {
      auto& known = found[address].messages;
      known = std::max(known, each.messages);
    }
  for (const auto& [address, each] : found)
    found_.push_back({address, each.messages, each.bytes});
  return std::nullopt;
}

expected<spill_file::stock, std::string> spill_file::count(bool by_index) {
  statement all;
  if (auto why = prepare(by_index ? "SELECT address, place, 0 FROM message "
                                    "INDEXED BY message_to"
                                  : "SELECT address, place, length(bytes) "
                                    "FROM message NOT INDEXED",
                         all))
    return unexpected{*why};
  stock result;
  entry last;
  int code = 0;
  while ((code = sqlite3_step(all.get())) == SQLITE_ROW) {
    auto each = entry{bytes_at(all, 0), sqlite3_column_int64(all.get(), 1)};
    // Each has its own place, from 1, and is in order, if nothing is damaged.
    if (each.second < 1
        || (by_index ? each <= last : each.second <= last.second))
      continue;
    auto& known = result.found[each.first];
    ++known.messages;
    known.bytes += unsigned_at(all, 2);
    result.last_place =
        std::max(result.last_place, static_cast<std::uint64_t>(each.second));
    last = std::move(each);
  }
  if (code != SQLITE_DONE)
    return unexpected{fault()};
  return result;
}

// Whether it cannot be read, is out of order, names what is no row or another
// address's, or lacks one. Not where rows are missing or cannot be read: then
// it alone knows of them; nor where only the addresses differ, of which the
// row's may be the damaged one. Nothing: who knows.
std::optional<bool> spill_file::index_is_wrong() {
  const auto unless = [this](bool damaged) {
    return is_damaged() ? std::optional{damaged} : std::nullopt;
  };
  statement rows;
  statement entries;
  if (prepare("SELECT count(*) FROM message NOT INDEXED", rows)
      || prepare("SELECT i.address, i.place, CASE WHEN r.address=i.address "
                 "THEN 0 WHEN r.place IS NULL THEN 1 ELSE EXISTS(SELECT 1 FROM "
                 "message o INDEXED BY message_to WHERE o.address=r.address "
                 "AND o.place=r.place) END FROM message i INDEXED BY "
                 "message_to LEFT JOIN message r NOT INDEXED ON "
                 "r.place=i.place",
                 entries)
      || sqlite3_step(rows.get()) != SQLITE_ROW)
    return unless(false);
  const auto all = sqlite3_column_int64(rows.get(), 0);
  auto wrong = false;
  entry last;
  sqlite3_int64 count = 0; // of different ones
  int code = 0;
  while ((code = sqlite3_step(entries.get())) == SQLITE_ROW) {
    auto each =
        entry{bytes_at(entries, 0), sqlite3_column_int64(entries.get(), 1)};
    wrong = wrong || each <= last
            || sqlite3_column_type(entries.get(), 0) != SQLITE_TEXT
            || sqlite3_column_int64(entries.get(), 2) != 0;
    if (each <= last)
      continue;
    ++count;
    last = std::move(each);
  }
  if (code != SQLITE_DONE)
    return unless(true);
  return count < all || (count == all && wrong);
}

bool spill_file::mend_index() {
  if (!std::exchange(may_mend_, false))
    return false;
  const auto mended = try_mend_index();
  doubts_ = mended ? 0 : std::min(doubts_ + 1, doubts_max);
  return may_mend_ = mended.value_or(false);
}

std::optional<bool> spill_file::try_mend_index() {
  const auto wrong = index_is_wrong();
  if (!wrong.value_or(false))
    return wrong;
  // To drop it is to read it, for its pages are freed. So it is forgotten, and
  // its pages are lost to the file.
  const auto sql = std::string{"BEGIN IMMEDIATE; PRAGMA writable_schema=ON; "
                               "DELETE FROM sqlite_schema "
                               "WHERE name='message_to'; "
                               "PRAGMA writable_schema=RESET; "}
                   + make_index;
  std::optional<bool> result;
  if (execute(sql.c_str())) {
    if (is_damaged())
      result = false;
  } else if (const auto still = index_is_wrong(); still == true) {
    result = false;
  } else if (still == false && !execute("COMMIT")) {
    result = true;
  }
  roll_back();
  return result;
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
