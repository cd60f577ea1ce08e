#pragma once

#include "broker/core/clock.hpp"
#include "broker/core/fwd.hpp"

#include <cstdint>
#include <map>
#include <utility>

namespace rookery::broker {

/// The queues in which something expires, by time.
class due_list {
public:
  /// The place of one queue; at most one each.
  struct place {
    time_point when = never;
    std::uint64_t order = 0; // which of those of one time comes first
  };

  /// Moves `which` from `at` to `when`; `never` takes it out.
  void move(place& at, time_point when, queue& which) {
    if (at.when == when)
      return;
    if (at.when != never)
      queues_.erase({at.when, at.order});
    at.when = when;
    if (at.when != never)
      queues_.emplace(std::pair{at.when, at.order = ++last_}, &which);
  }

  [[nodiscard]] time_point next() const {
    return queues_.empty() ? never : queues_.begin()->first.first;
  }

  /// The first that is due by `now`, or null. It must move itself on.
  [[nodiscard]] queue* due(time_point now) const {
    return next() <= now && next() != never ? queues_.begin()->second : nullptr;
  }

private:
  std::map<std::pair<time_point, std::uint64_t>, queue*> queues_;
  std::uint64_t last_ = 0;
};

} // namespace rookery::broker
