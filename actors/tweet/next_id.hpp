#pragma once

#include "actors/partition.hpp"

#include <chrono>
#include <cstdint>

namespace rookery::actors {

/// The id after `last` in the log of `partition` (0..1023):
/// milliseconds since 2026-01-01 UTC (41 bits) | partition (10) | counter (12).
/// Always above `last`, which is an id of the same partition or 0: when the
/// clock stands still, went back, or is outside the 69 years, the counter goes
/// on from `last` and borrows from the following milliseconds. So an id tells
/// when a tweet was made only as well as the clock does.
/// Returns 0 when the ids are used up: 2^41 ms * 4096 after all.
[[nodiscard]] tweet_id next_id(tweet_id last, std::uint32_t partition,
                               std::chrono::system_clock::time_point now);

/// When the ids begin: 2026-01-01 00:00 UTC, since the Unix epoch.
constexpr std::chrono::seconds id_epoch{1'767'225'600};

/// When a tweet was posted, as far as its id tells: a whole number of
/// milliseconds, in microseconds since the Unix epoch.
[[nodiscard]] constexpr std::uint64_t posted_at_us(tweet_id id) {
  std::chrono::microseconds since = id_epoch;
  return ((id >> 22) * 1'000) + static_cast<std::uint64_t>(since.count());
}

/// The partition in an id.
[[nodiscard]] constexpr std::uint32_t partition_of_id(tweet_id id) {
  return static_cast<std::uint32_t>((id >> 12) & 0x3FF);
}

} // namespace rookery::actors
