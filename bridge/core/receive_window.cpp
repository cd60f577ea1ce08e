#include "bridge/core/receive_window.hpp"

#include "bridge/assert.hpp"

#include <algorithm>

namespace rookery::bridge {

receive_window::receive_window(std::uint32_t window) : window_(window) {
  ROOKERY_ASSERT(window > 0);
}

void receive_window::on_delivery() {
  ROOKERY_ASSERT(credit_ > 0);
  --credit_;
  ++unfinished_;
  expected_ = std::max(expected_ / 2, 1U);
}

void receive_window::on_unpacked(std::uint32_t messages) {
  ROOKERY_ASSERT(unfinished_ > 0);
  unfinished_ += messages;
  expected_ = std::max(expected_, messages);
}

void receive_window::on_finished() {
  ROOKERY_ASSERT(unfinished_ > 0);
  --unfinished_;
}

std::uint32_t receive_window::top_up() {
  const auto batch = (credit_ == 0 ? window_ / 8 : window_ / 2) / expected_;
  return room() >= std::max(batch, 1U) ? fill() : 0;
}

std::uint32_t receive_window::fill() {
  const auto grant = room();
  credit_ += grant;
  return grant;
}

std::uint32_t receive_window::room() const {
  const auto taken = std::uint64_t{credit_} * expected_ + unfinished_;
  if (taken >= window_)
    return 0;
  const auto fit = (window_ - static_cast<std::uint32_t>(taken)) / expected_;
  // Not none: who waits behind an unfinished one must not wait for it.
  return credit_ == 0 ? std::max(fit, 1U) : fit;
}

} // namespace rookery::bridge
