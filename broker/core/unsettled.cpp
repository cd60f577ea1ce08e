#include "broker/core/unsettled.hpp"

namespace rookery::broker {

delivery_id unsettled::put(entry held) {
  if (free_first_ == none) {
    free_first_ = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  const auto index = free_first_;
  auto& place = slots_[index];
  free_first_ = place.free_next;
  place.held = std::move(held);
  ++size_;
  return delivery_id{place.generation} << 32 | index;
}

bool unsettled::take(delivery_id id, entry& into) {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= slots_.size())
    return false;
  auto& place = slots_[index];
  if (place.generation != id >> 32 || !place.held.message)
    return false;
  into = std::move(place.held);
  place.held.message.reset();
  if (++place.generation == 0)
    place.generation = 1; // an id is never 0
  place.free_next = free_first_;
  free_first_ = index;
  --size_;
  return true;
}

void unsettled::reset() {
  slots_ = {};
  free_first_ = none;
  size_ = 0;
}

} // namespace rookery::broker
