#pragma once

#include <cstdint>
#include <vector>

namespace rookery::sim {

/// SQLite's locks on one database, by owner; an owner is one open file. The
/// rules are those of sqlite3.h: the five levels of a file, and slots of the
/// WAL-index that are shared by many or taken by one.
/// Functions that take a lock return whether they got it.
class lock_table {
public:
  using owner = const void*;

  /// Raises `who` to `level`, one of SQLITE_LOCK_*. A refused EXCLUSIVE leaves
  /// PENDING, so that no new reader comes in.
  [[nodiscard]] bool lock(owner who, int level);
  /// Lowers `who` to SQLITE_LOCK_SHARED or SQLITE_LOCK_NONE.
  void unlock(owner who, int level);
  /// Whether anybody holds RESERVED or more.
  [[nodiscard]] bool reserved() const;
  /// Whether `who` is the one that may write to the WAL. Not so in SQLite's
  /// exclusive mode: it takes no slots there.
  [[nodiscard]] bool writes_wal(owner who) const;

  /// Takes all slots of the mask, or none.
  [[nodiscard]] bool lock_slots(owner who, std::uint32_t slots, bool alone);
  void unlock_slots(owner who, std::uint32_t slots);

  /// `who` is gone, and all it held.
  void drop(owner who);
  void drop_slots(owner who);

private:
  struct holder {
    owner who;
    int level = 0;
    std::uint32_t shared_slots = 0;
    std::uint32_t own_slots = 0;
  };

  holder& at(owner who);
  [[nodiscard]] int level_of_others(owner who) const;

  std::vector<holder> holders_;
};

} // namespace rookery::sim
