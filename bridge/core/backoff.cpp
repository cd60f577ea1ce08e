#include "bridge/core/backoff.hpp"

#include "bridge/assert.hpp"

#include <algorithm>
#include <utility>

namespace rookery::bridge {

backoff::backoff(backoff_options options, std::function<std::uint64_t()> random)
    : options_(options),
      random_(std::move(random)) {
  ROOKERY_ASSERT(options_.delay_min.count() >= 0);
  ROOKERY_ASSERT(options_.delay_min <= options_.first);
  ROOKERY_ASSERT(options_.first <= options_.delay_max);
}

std::chrono::milliseconds backoff::next() {
  return delay_before(++attempts_, options_, random_());
}

std::chrono::milliseconds delay_before(std::uint32_t n,
                                       const backoff_options& options,
                                       std::uint64_t random) {
  auto ceiling = options.first;
  for (std::uint32_t i = 1; i < n && ceiling < options.delay_max; ++i)
    ceiling *= 2;
  ceiling = std::min(ceiling, options.delay_max);
  const auto draws = static_cast<std::uint64_t>(ceiling.count()) + 1;
  const std::chrono::milliseconds delay{random % draws};
  return std::max(delay, options.delay_min);
}

} // namespace rookery::bridge
