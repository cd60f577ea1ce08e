#pragma once

#include "actors/partition.hpp"

#include <cstdint>
#include <vector>

namespace rookery::actors {

/// The newest finished expansions with their latencies, numbered from 1: what
/// the load client reads. Old entries are overwritten and counted as lost by
/// whoever did not read them.
class completions {
public:
  struct entry {
    tweet_id tweet;
    std::uint64_t latency_us;
  };
  struct page {
    std::vector<entry> entries; // oldest first
    std::uint64_t next;         // the number of the last one
    std::uint64_t lost;         // overwritten before they were read
  };

  /// Keeps the newest `entries_max`, 1 or more.
  explicit completions(std::uint32_t entries_max) : entries_max_{entries_max} {}

  void push(entry x);

  /// At most `limit` entries numbered above `after`.
  [[nodiscard]] page read(std::uint64_t after, std::uint32_t limit) const;

private:
  std::uint32_t entries_max_;
  std::uint64_t pushed_ = 0;   // the number of the newest
  std::vector<entry> entries_; // number n is at (n - 1) % entries_max_
};

} // namespace rookery::actors
