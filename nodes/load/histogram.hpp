#pragma once

#include <cstdint>
#include <vector>

namespace rookery::nodes {

/// Counts values in buckets whose width grows with the value: exact below
/// 256, above that each power of two has 128 buckets. So a percentile is never
/// below the true value, and above it by less than 1/128 (0.8 %) of it.
/// 59 KiB, whatever is recorded.
class histogram {
public:
  histogram();

  void record(std::uint64_t value);
  void add(const histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Exact; 0 when empty.
  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] double mean() const;

  /// The smallest value that at least this share of the values does not
  /// exceed, up to the error above. 0 when empty.
  /// @param share 0..1, such as 0.99
  [[nodiscard]] std::uint64_t percentile(double share) const;

private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

} // namespace rookery::nodes
