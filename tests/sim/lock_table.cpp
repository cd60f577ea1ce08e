#include "tests/sim/lock_table.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace rookery::sim {

namespace {

constexpr int pending = SQLITE_LOCK_PENDING;
constexpr std::uint32_t wal_writer_slot = 1; // WAL_WRITE_LOCK of SQLite's wal.c

} // namespace

bool lock_table::lock(owner who, int level) {
  auto& mine = at(who);
  if (mine.level >= level)
    return true;
  auto others = level_of_others(who);
  if (level == SQLITE_LOCK_SHARED) {
    if (others >= pending)
      return false;
  } else if (others >= SQLITE_LOCK_RESERVED) {
    return false;
  } else if (level == SQLITE_LOCK_EXCLUSIVE && others > SQLITE_LOCK_NONE) {
    mine.level = pending;
    return false;
  }
  mine.level = level;
  return true;
}

void lock_table::unlock(owner who, int level) {
  auto& mine = at(who);
  mine.level = std::min(mine.level, level);
}

bool lock_table::reserved() const {
  return level_of_others(nullptr) >= SQLITE_LOCK_RESERVED;
}

bool lock_table::writes_wal(owner who) const {
  return std::any_of(holders_.begin(), holders_.end(), [&](auto& x) {
    return x.who == who && (x.own_slots & wal_writer_slot) != 0;
  });
}

bool lock_table::lock_slots(owner who, std::uint32_t slots, bool alone) {
  for (auto& x : holders_) {
    auto in_the_way = x.own_slots | (alone ? x.shared_slots : 0);
    if (x.who != who && (in_the_way & slots) != 0)
      return false;
  }
  auto& mine = at(who);
  (alone ? mine.own_slots : mine.shared_slots) |= slots;
  return true;
}

void lock_table::unlock_slots(owner who, std::uint32_t slots) {
  auto& mine = at(who);
  mine.own_slots &= ~slots;
  mine.shared_slots &= ~slots;
}

void lock_table::drop(owner who) {
  std::erase_if(holders_, [&](auto& x) { return x.who == who; });
}

void lock_table::drop_slots(owner who) { unlock_slots(who, ~0U); }

lock_table::holder& lock_table::at(owner who) {
  for (auto& x : holders_)
    if (x.who == who)
      return x;
  return holders_.emplace_back(holder{who});
}

int lock_table::level_of_others(owner who) const {
  int result = SQLITE_LOCK_NONE;
  for (auto& x : holders_)
    if (x.who != who)
      result = std::max(result, x.level);
  return result;
}

} // namespace rookery::sim
