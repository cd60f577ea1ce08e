#include "actors/fanout/user_index.hpp"

#include <utility>

namespace rookery::actors {

namespace {

constexpr user_slot vacant = 0xffffffffU;

// Not the mix of partition_of: within a shard that one is constant modulo the
// number of shards.
// @source fmix64 of MurmurHash3 by Austin Appleby, public domain.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdU;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53U;
  return x ^ (x >> 33);
}

} // namespace

user_index::user_index(std::uint64_t hash_seed)
    : hash_seed_{hash_seed},
      table_(16, vacant) {}

std::optional<user_slot> user_index::find(user_id user) const {
  auto slot = table_[probe(user)];
  return slot == vacant ? std::nullopt : std::optional{slot};
}

user_slot user_index::intern(user_id user) {
  auto at = probe(user);
  if (table_[at] != vacant)
    return table_[at];
  auto slot = size();
  users_.push_back(user);
  table_[at] = slot;
  if (users_.size() * 4 > table_.size() * 3)
    grow();
  return slot;
}

std::size_t user_index::probe(user_id user) const {
  auto mask = table_.size() - 1;
  auto at = mix(user ^ hash_seed_) & mask;
  while (table_[at] != vacant && users_[table_[at]] != user)
    at = (at + 1) & mask;
  return at;
}

void user_index::grow() {
  auto bigger = std::vector<user_slot>(table_.size() * 2, vacant);
  std::swap(table_, bigger);
  for (user_slot slot = 0; slot < size(); ++slot)
    table_[probe(users_[slot])] = slot;
}

} // namespace rookery::actors
