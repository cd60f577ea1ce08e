#include "nodes/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rookery::nodes {

namespace {

constexpr int bits = 7; // 2^7 buckets for each power of two
constexpr std::uint64_t width = std::uint64_t{1} << bits;

/// How many of the low bits a bucket around `value` swallows.
int shift_of(std::uint64_t value) {
  return std::max(0, static_cast<int>(std::bit_width(value)) - bits - 1);
}

std::size_t bucket_of(std::uint64_t value) {
  auto shift = shift_of(value);
  return static_cast<std::size_t>(shift) * width + (value >> shift);
}

/// The greatest value of a bucket.
std::uint64_t upper_bound(std::size_t bucket) {
  if (bucket < 2 * width)
    return bucket;
  auto shift = bucket / width - 1;
  auto head = bucket - shift * width;
  return (head << shift) + ((std::uint64_t{1} << shift) - 1);
}

} // namespace

histogram::histogram() : buckets_(bucket_of(~std::uint64_t{0}) + 1) {}

void histogram::record(std::uint64_t value) {
  ++buckets_[bucket_of(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void histogram::add(const histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double histogram::mean() const {
  return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_);
}

std::uint64_t histogram::percentile(double share) const {
  if (count_ == 0)
    return 0;
  auto wanted = static_cast<std::uint64_t>(
      std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
  wanted = std::clamp<std::uint64_t>(wanted, 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted)
      return std::min(upper_bound(i), max_);
  }
  return max_;
}

} // namespace rookery::nodes
