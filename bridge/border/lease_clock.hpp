#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace rookery::bridge {

/// When this node last heard from its broker, for threads other than the IO
/// thread: a node that has heard nothing for too long may have been replaced
/// wherever it is an owner. Connections are numbered, because what came over
/// one that ended is stale even when the next is well.
class lease_clock {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// @param idle_timeout how long a lease lasts; 0 = as long as the connection
  explicit lease_clock(std::chrono::milliseconds idle_timeout)
      : idle_timeout_{idle_timeout} {}

  /// The present connection is open and something was heard at `when`.
  /// @thread proton
  void heard(time_point when) { heard_at_ = when.time_since_epoch().count(); }

  /// The connection is over. @thread proton
  void lost() {
    // In this order: who finds the next one's time finds its number too.
    heard_at_ = never;
    ++connection_;
  }

  /// The number of the present connection or, while there is none, of the
  /// next. @thread any
  [[nodiscard]] std::uint64_t connection() const { return connection_; }

  /// Whether connection number `connection` is the present one, and something
  /// was heard within the idle timeout. @thread any
  [[nodiscard]] bool held(time_point now, std::uint64_t connection) const {
    const auto heard_at = heard_at_.load();
    if (heard_at == never || connection != connection_)
      return false;
    return idle_timeout_.count() == 0
           || now.time_since_epoch() - time_point::duration{heard_at}
                  <= idle_timeout_;
  }
  [[nodiscard]] bool held(time_point now) const {
    return held(now, connection_);
  }

private:
  using rep = time_point::rep;

  static constexpr rep never = std::numeric_limits<rep>::min();

  std::chrono::milliseconds idle_timeout_;
  std::atomic<rep> heard_at_ = never;
  std::atomic<std::uint64_t> connection_ = 0;
};

} // namespace rookery::bridge
