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
}

void receive_window::on_finished() {
  ROOKERY_ASSERT(unfinished_ > 0);
  --unfinished_;
}

std::uint32_t receive_window::top_up() {
  const auto batch = credit_ == 0 ? window_ / 8 : window_ / 2;
  return room() >= std::max(batch, 1U) ? fill() : 0;
}

std::uint32_t receive_window::fill() {
  const auto grant = room();
  credit_ += grant;
  return grant;
}

std::uint32_t receive_window::room() const {
  ROOKERY_ASSERT(credit_ + unfinished_ <= window_);
  return window_ - credit_ - unfinished_;
}

} // namespace rookery::bridge
