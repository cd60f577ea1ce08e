#pragma once

#include "actors/fanout/slim_vector.hpp"
#include "actors/partition.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace rookery::actors {

/// How many entries a timeline keeps. One for all timelines of a shard.
struct timeline_limits {
  /// The entries that count: 1..10,000.
  std::uint32_t cap = 800;

  /// A timeline that reaches this size is cut back to `cap`. Trimming at every
  /// insertion would move the whole array every time.
  [[nodiscard]] std::uint32_t trim_at() const noexcept {
    return cap + (cap + 15) / 16;
  }
};

/// The greatest tweet ids somebody's home holds: a set, whose content does not
/// depend on the order of insertions or on how often each came.
///
/// It holds every inserted, not erased id above its floor. While it holds
/// fewer than `cap` ids its floor must be zero; `erase` and `raise_floor` can
/// break that, and then `is_short` says that the owner must build it anew.
///
/// One flat ascending array, because nearly every insertion is an append.
class timeline {
public:
  /// What became of an id that was to be inserted.
  enum class outcome : std::uint8_t { inserted, duplicate, below_floor };

  /// Inserts `id`, then trims if the timeline is full. `trimmed`, never
  /// written otherwise, grows by the number of entries that were dropped.
  outcome insert(tweet_id id, timeline_limits limits, std::uint64_t& trimmed);

  /// Takes `id` out; false when it was not there.
  bool erase(tweet_id id);

  /// Drops all entries at or below `floor` and ignores such ids from now on.
  /// @returns the number of entries dropped.
  std::uint32_t raise_floor(tweet_id floor);

  /// Whether older entries are missing that belong into the first `cap`.
  [[nodiscard]] bool is_short(timeline_limits limits) const noexcept {
    return floor_ > 0 && ids_.size() < limits.cap;
  }

  /// At most `limit` ids of the greatest `cap`, descending, not above `max_id`
  /// and above `since_id`, where these are given.
  [[nodiscard]] std::vector<tweet_id> newest(std::optional<tweet_id> max_id,
                                             std::optional<tweet_id> since_id,
                                             std::uint32_t limit,
                                             timeline_limits limits) const;

  /// Everything held, ascending: the greatest `cap` and a few more.
  [[nodiscard]] std::span<const tweet_id> ids() const noexcept {
    return ids_.view();
  }

  /// The greatest id it ever dropped for want of room; 0 = none.
  [[nodiscard]] tweet_id floor() const noexcept { return floor_; }

  /// Loads what `insert` is going to touch, ahead of it.
  void prefetch() const noexcept { __builtin_prefetch(ids_.end(), 1); }

private:
  void make_room(timeline_limits limits);

  slim_vector<tweet_id> ids_; // ascending, distinct, all above floor_
  tweet_id floor_ = 0;
};

} // namespace rookery::actors
