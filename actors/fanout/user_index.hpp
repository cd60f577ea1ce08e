#pragma once

#include "actors/partition.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace rookery::actors {

/// A user's place in the arrays of one shard: dense, from 0, never reused.
using user_slot = std::uint32_t;

/// Gives every user a shard has to do with a `user_slot`.
/// Open addressing over 4-byte slots: 14 to 19 bytes for a user with the id,
/// where `std::unordered_map` needs 48 besides it.
class user_index {
public:
  /// `hash_seed` keeps clients, who choose the ids, from choosing collisions.
  explicit user_index(std::uint64_t hash_seed = 0);

  [[nodiscard]] std::optional<user_slot> find(user_id user) const;

  /// The slot of `user`, made if there was none.
  user_slot intern(user_id user);

  /// The user at a slot below size().
  [[nodiscard]] user_id operator[](user_slot slot) const {
    return users_[slot];
  }

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(users_.size());
  }

private:
  [[nodiscard]] std::size_t probe(user_id user) const;
  void grow();

  std::uint64_t hash_seed_;
  std::deque<user_id> users_;    // by slot
  std::vector<user_slot> table_; // a power of two, at most 3/4 full
};

} // namespace rookery::actors
