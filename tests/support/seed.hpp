#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>

namespace rookery::tests {

/// The seed of a random test: ROOKERY_SEED, or always the same one. A test
/// says it with INFO, so that a failure can be replayed.
inline std::uint64_t seed() {
  const char* text = std::getenv("ROOKERY_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}

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

} // namespace rookery::tests
