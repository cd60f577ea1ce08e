#pragma once

#include "nodes/load/seeded_random.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace rookery::nodes {

/// Draws an index with a probability in proportion to its weight.
class weighted_choice {
public:
  /// @param weights at least one, none negative, not all zero
  explicit weighted_choice(const std::vector<double>& weights) {
    sums_.reserve(weights.size());
    double sum = 0;
    for (auto weight : weights)
      sums_.push_back(sum += weight);
  }

  [[nodiscard]] std::size_t draw(seeded_random& random) const {
    auto point = random.unit() * sums_.back();
    auto found = std::upper_bound(sums_.begin(), sums_.end(), point);
    return std::min<std::size_t>(
        static_cast<std::size_t>(found - sums_.begin()), sums_.size() - 1);
  }

private:
  std::vector<double> sums_; // running sums of the weights
};

} // namespace rookery::nodes
