#pragma once

#include "actors/partition.hpp"
#include "actors/tweet/next_id.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <ostream>

namespace rookery::nodes {

/// Which tweets were acknowledged before they were readable everywhere: what
/// was under way at any moment can be counted from it afterwards.
///
/// A lower bound: a shard that ends has not told of its last tweets, and what a
/// shard reads back from a log counts from its id, not from when it was meant.
/// @thread any
class lag_log {
public:
  /// @param tweets_max kept at once; of more the oldest are left out
  explicit lag_log(std::size_t tweets_max = 500'000)
      : tweets_max_(tweets_max) {}

  /// @param acked_us when the client had the answer
  /// @param intended_us when it meant to post; both since the Unix epoch
  void acknowledged(actors::tweet_id tweet, std::uint64_t acked_us,
                    std::uint64_t intended_us) {
    std::lock_guard guard{mutex_};
    auto& x = at(tweet);
    x.acked_us = acked_us;
    x.intended_us = intended_us;
  }

  /// One shard told: readable there `latency_us` after it was meant.
  void told(actors::tweet_id tweet, std::uint64_t latency_us) {
    std::lock_guard guard{mutex_};
    auto& x = at(tweet);
    x.latency_us = std::max(x.latency_us, latency_us);
    x.told = true;
  }

  /// Forgets the tweets acknowledged before `before_us`, and writes a line
  /// "POSTED ACKED READABLE", microseconds since the Unix epoch, for each of
  /// them that was readable everywhere only later, or of which no shard told:
  /// then READABLE is 0. POSTED is the millisecond in the tweet's id.
  void write(std::ostream& out, std::uint64_t before_us) {
    std::lock_guard guard{mutex_};
    for (auto at = tweets_.begin(); at != tweets_.end();) {
      auto& x = at->second;
      if (x.acked_us == 0 || x.acked_us >= before_us) {
        ++at;
        continue;
      }
      auto readable_us = x.told ? x.intended_us + x.latency_us : 0;
      if (!x.told || readable_us > x.acked_us)
        out << actors::posted_at_us(at->first) << ' ' << x.acked_us << ' '
            << readable_us << '\n';
      at = tweets_.erase(at);
    }
  }

private:
  struct entry {
    std::uint64_t acked_us = 0; // 0 = not yet
    std::uint64_t intended_us = 0;
    std::uint64_t latency_us = 0; // of the slowest shard that told
    bool told = false;
  };

  entry& at(actors::tweet_id tweet) {
    auto& result = tweets_[tweet];
    if (tweets_.size() > tweets_max_)
      tweets_.erase(tweets_.begin()->first == tweet ? std::next(tweets_.begin())
                                                    : tweets_.begin());
    return result;
  }

  std::size_t tweets_max_;
  std::mutex mutex_;
  std::map<actors::tweet_id, entry> tweets_; // oldest first
};

} // namespace rookery::nodes
