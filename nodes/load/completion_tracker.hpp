#pragma once

#include "actors/partition.hpp"
#include "nodes/load/histogram.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

namespace rookery::nodes {

/// From post to timeline: puts together what the shards tell of each tweet. It
/// is readable when the slowest shard has done its part; shards where nobody
/// follows the author may say nothing.
class completion_tracker {
public:
  /// @param shards that may tell of a tweet
  /// @param open_max tweets that may wait for further shards; of more, the
  /// oldest count as done
  completion_tracker(std::uint32_t shards, std::size_t open_max)
      : shards_(shards),
        open_max_(open_max) {}

  /// One shard's part of a tweet.
  void add(actors::tweet_id tweet, std::uint64_t latency_us) {
    auto& x = open_[tweet];
    x.latency_us = std::max(x.latency_us, latency_us);
    if (++x.told == shards_) {
      latencies_.record(x.latency_us);
      open_.erase(tweet);
    } else if (open_.size() > open_max_) {
      latencies_.record(open_.begin()->second.latency_us);
      open_.erase(open_.begin());
    }
  }

  /// Nothing more will be told.
  void finish() {
    for (auto& [tweet, x] : open_)
      latencies_.record(x.latency_us);
    open_.clear();
  }

  /// Microseconds, one value a tweet.
  [[nodiscard]] const histogram& latencies() const { return latencies_; }

private:
  struct entry {
    std::uint64_t latency_us = 0; // of the slowest so far
    std::uint32_t told = 0;       // shards that told
  };

  std::uint32_t shards_;
  std::size_t open_max_;
  std::map<actors::tweet_id, entry> open_; // oldest first
  histogram latencies_;
};

} // namespace rookery::nodes
