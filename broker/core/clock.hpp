#pragma once

#include <chrono>
#include <functional>

namespace rookery::broker {

using time_point = std::chrono::steady_clock::time_point;

/// A time that never comes.
inline constexpr auto never = time_point::max();

/// Where a broker has its time from: given, so that a test or a simulation owns
/// it. Only asked where something expires.
struct clock {
  std::function<time_point()> now = std::chrono::steady_clock::now;
  /// For humans: when a message died.
  std::function<std::chrono::system_clock::time_point()> wall =
      std::chrono::system_clock::now;
};

} // namespace rookery::broker
