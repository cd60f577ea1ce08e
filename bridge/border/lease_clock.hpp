#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace rookery::bridge {

/// Until when this node may trust its connection to the broker, for threads
/// other than the IO thread: a node that has heard nothing for too long may
/// have been replaced wherever it is an owner. Connections are numbered,
/// because what came over one that ended is stale even when the next is well.
class lease_clock {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The present connection is open, and trusted until `end`; the greatest
  /// time point there is: as long as it is open. @thread proton
  void extend(time_point end) { end_ = end.time_since_epoch().count(); }

  /// The connection is over. @thread proton
  void lost() {
    // In this order: who finds the next one's time finds its number too.
    end_ = none;
    ++connection_;
  }

  /// The number of the present connection or, while there is none, of the
  /// next. @thread any
  [[nodiscard]] std::uint64_t connection() const { return connection_; }

  /// Whether connection number `connection` is the present one, and trusted.
  /// @thread any
  [[nodiscard]] bool held(time_point now, std::uint64_t connection) const {
    const auto end = end_.load();
    return connection == connection_ && now.time_since_epoch().count() <= end;
  }
  [[nodiscard]] bool held(time_point now) const {
    return held(now, connection_);
  }

private:
  using rep = time_point::rep;

  static constexpr rep none = std::numeric_limits<rep>::min();

  std::atomic<rep> end_ = none;
  std::atomic<std::uint64_t> connection_ = 0;
};

} // namespace rookery::bridge
