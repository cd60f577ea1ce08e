#pragma once

#include "actors/store/log_changes.hpp"

#include <algorithm>
#include <chrono>

namespace rookery::store {

/// What a process believes of its wall clock: never more than it said at the
/// start and what has passed since, and a little. For a clock that is ahead for
/// a moment would leave an id that all ids of its log have to be above, until
/// the right time is there. Nothing bounds a clock that is behind: ids rise by
/// themselves.
/// @thread any; a value without mutable state
class wall_bound {
public:
  using steady_time = std::chrono::steady_clock::time_point;

  /// How much faster a wall clock may go than the steady one, which nobody
  /// corrects, and how far it may be corrected besides.
  static constexpr int drift_percent_max = 1;
  static constexpr std::chrono::seconds correction_max{10};

  /// What both clocks say when the process starts.
  wall_bound(time_point wall, steady_time steady)
      : wall_{wall},
        steady_{steady} {}

  /// The time to go by when they say this.
  [[nodiscard]] time_point operator()(time_point wall,
                                      steady_time steady) const {
    auto passed =
        std::chrono::duration_cast<time_point::duration>(steady - steady_);
    return std::min(wall, wall_ + passed + passed * drift_percent_max / 100
                              + correction_max);
  }

private:
  time_point wall_;
  steady_time steady_;
};

} // namespace rookery::store
