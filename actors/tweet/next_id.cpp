#include "actors/tweet/next_id.hpp"

#include <algorithm>

namespace rookery::actors {

namespace {

constexpr std::uint64_t counter_max = (1U << 12) - 1;
constexpr std::uint64_t time_max = (std::uint64_t{1} << 41) - 1;

/// 0 outside of the 41 bits.
std::uint64_t
milliseconds_since_epoch(std::chrono::system_clock::time_point now) {
  using std::chrono::milliseconds;
  auto span =
      std::chrono::floor<milliseconds>(now.time_since_epoch()) - id_epoch;
  auto count = span.count();
  if (count < 0 || static_cast<std::uint64_t>(count) > time_max)
    return 0;
  return static_cast<std::uint64_t>(count);
}

} // namespace

tweet_id next_id(tweet_id last, std::uint32_t partition,
                 std::chrono::system_clock::time_point now) {
  auto time = milliseconds_since_epoch(now);
  std::uint64_t counter = 0;
  if (auto last_time = last >> 22; time <= last_time) {
    time = last_time;
    counter = (last & counter_max) + 1;
  }
  if (counter > counter_max) {
    ++time;
    counter = 0;
  }
  if (time > time_max)
    return 0;
  return time << 22 | std::uint64_t{partition} << 12 | counter;
}

} // namespace rookery::actors
