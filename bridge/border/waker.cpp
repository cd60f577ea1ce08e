#include "bridge/border/waker.hpp"

#include <utility>

namespace rookery::bridge {

waker::waker(std::function<void()> wake) : wake_(std::move(wake)) {}

// Both sides exchange rather than store: each thereby sees what the other did
// before its own exchange, whatever the queue between them is made of.

void waker::notify() {
  if (!pending_.exchange(true, std::memory_order_acq_rel))
    wake_();
}

void waker::reset() noexcept {
  pending_.exchange(false, std::memory_order_acq_rel);
}

} // namespace rookery::bridge
