#pragma once

#include <cstdint>

namespace rookery::actors {

/// A user: any unsigned 64-bit number, zero included.
using user_id = std::uint64_t;

/// A tweet; greater means newer. Zero is never a tweet.
using tweet_id = std::uint64_t;

/// The writer partition or the shard of a user, 0..count - 1.
/// Stable for ever: stores and queues are laid out by it. `count` >= 1.
/// @source splitmix64 by Sebastiano Vigna, public domain.
[[nodiscard]] constexpr std::uint32_t partition_of(user_id user,
                                                   std::uint32_t count) {
  auto x = user + 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  x ^= x >> 31;
  return static_cast<std::uint32_t>(x % count);
}

} // namespace rookery::actors
