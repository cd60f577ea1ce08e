#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace rookery::bridge {

/// How long to wait before trying again: exponential, capped, full jitter
/// (uniform between nothing and the ceiling), so that peers cut off together
/// do not come back together.
struct backoff_options {
  /// No delay is shorter: even the luckiest draw does not spin.
  std::chrono::milliseconds delay_min{20};
  /// Ceiling of the first delay; doubles with every attempt.
  std::chrono::milliseconds first{200};
  /// Ceiling of all delays.
  std::chrono::milliseconds delay_max{10'000};
};

/// The delay before attempt `n` after the first, delay_min..delay_max; `random`
/// is uniform.
[[nodiscard]] std::chrono::milliseconds
delay_before(std::uint32_t n, const backoff_options& options,
             std::uint64_t random);

class backoff {
public:
  /// `random` gives uniform 64-bit numbers; the core has none of its own.
  backoff(backoff_options options, std::function<std::uint64_t()> random);

  /// The delay before the next attempt, delay_min..delay_max.
  [[nodiscard]] std::chrono::milliseconds next();

  /// An attempt succeeded.
  void reset() noexcept { attempts_ = 0; }

  /// Delays handed out since the last success.
  [[nodiscard]] std::uint32_t attempts() const noexcept { return attempts_; }

private:
  backoff_options options_; // delay_min <= first <= delay_max
  std::function<std::uint64_t()> random_;
  std::uint32_t attempts_ = 0;
};

} // namespace rookery::bridge
