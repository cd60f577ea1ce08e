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
  auto ceiling = options_.first;
  for (std::uint32_t i = 0; i < attempts_ && ceiling < options_.delay_max; ++i)
    ceiling *= 2;
  ceiling = std::min(ceiling, options_.delay_max);
  ++attempts_;
  const auto draws = static_cast<std::uint64_t>(ceiling.count()) + 1;
  const std::chrono::milliseconds delay{random_() % draws};
  return std::max(delay, options_.delay_min);
}

} // namespace rookery::bridge
