#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>

namespace rookery::testing {

/// The seed of a random test: ROOKERY_SEED, or always the same one. A test
/// says it when it fails, so that the failure can be replayed.
/// @throws std::invalid_argument when ROOKERY_SEED is no number
[[nodiscard]] std::uint64_t seed();

/// Calls `body` with the seeds 1 to `count`, or with ROOKERY_SEED alone. When
/// it throws, says on stderr which seed that was and how to run it again, and
/// lets the exception pass.
void each_seed(std::uint64_t count,
               const std::function<void(std::uint64_t seed)>& body);

/// Uniform numbers, the same on every platform for one seed.
class random_source {
public:
  explicit random_source(std::uint64_t x) : engine_(x) {}

  std::uint64_t operator()() { return engine_(); }

  /// 0..bound - 1.
  std::size_t below(std::size_t bound) {
    return static_cast<std::size_t>(engine_() % bound);
  }

private:
  std::mt19937_64 engine_;
};

} // namespace rookery::testing
