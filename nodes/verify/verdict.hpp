#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rookery::nodes {

/// What `verify` found.
struct verdict {
  std::uint64_t users = 0;     // known to the store
  std::uint64_t timelines = 0; // complete ones, each compared
  std::uint64_t entries = 0;   // in them
  std::uint64_t pushed = 0;    // as the shards count them
  std::uint64_t pulled = 0;
  std::uint64_t trimmed = 0;
  std::uint64_t acked = 0;      // acknowledged changes in the journal
  std::uint64_t missing = 0;    // of these, not in the store
  std::uint64_t mismatches = 0; // timelines that differ; things nobody asked
                                // for
  /// Why `missing` and `mismatches` are not zero, at most `reasons_max`.
  std::vector<std::string> reasons = {};

  static constexpr std::size_t reasons_max = 20;

  void explain(std::string reason) {
    if (reasons.size() < reasons_max)
      reasons.push_back(std::move(reason));
  }

  /// Nothing is wrong, and something was compared if there was anything.
  [[nodiscard]] bool good() const {
    return missing == 0 && mismatches == 0 && (users == 0 || timelines > 0);
  }

  /// "verify: users=... mismatches=..."
  [[nodiscard]] std::string line() const;
};

} // namespace rookery::nodes
