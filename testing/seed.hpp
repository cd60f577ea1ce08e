#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace rookery::testing {

/// The seed of a random test: ROOKERY_SEED, or always the same one. A test
/// says it when it fails, so that the failure can be replayed.
/// @throws std::invalid_argument when ROOKERY_SEED is no number
[[nodiscard]] inline std::uint64_t seed() {
  const char* given = std::getenv("ROOKERY_SEED");
  if (!given)
    return 1;
  const std::string_view text{given};
  std::uint64_t result = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument{"ROOKERY_SEED is no number: "
                                + std::string{text}};
  return result;
}

/// Calls `body` with the seeds 1 to `count`, or with ROOKERY_SEED alone. When
/// it throws, says on stderr which seed that was and how to run it again, and
/// lets the exception pass.
inline void each_seed(std::uint64_t count,
                      const std::function<void(std::uint64_t seed)>& body) {
  const auto first = seed();
  const auto last = std::getenv("ROOKERY_SEED") ? first : count;
  for (auto x = first; x <= last; ++x) {
    try {
      body(x);
    } catch (...) {
      std::fprintf(
          stderr,
          "seed %llu failed; ROOKERY_SEED=%llu runs it alone, and with "
          "ROOKERY_TRACE=1 a cluster tells what happens in it\n",
          static_cast<unsigned long long>(x),
          static_cast<unsigned long long>(x));
      throw;
    }
  }
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

} // namespace rookery::testing
