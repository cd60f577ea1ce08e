#include "actors/fanout/request_lane.hpp"

#include <algorithm>
#include <utility>

namespace rookery::actors {

std::optional<question> request_lane::next(steady_time now) {
  if (waiting_.empty() || asked_ >= limits_.requests_max || now < retry_at_)
    return std::nullopt;
  auto result = std::optional{std::move(waiting_.front())};
  waiting_.pop_front();
  ++asked_;
  return result;
}

void request_lane::succeeded() {
  --asked_;
  delay_ = {};
}

void request_lane::failed(question x, steady_time now) {
  --asked_;
  waiting_.push_front(std::move(x));
  // What was asked together fails together: that counts once.
  if (now < retry_at_)
    return;
  delay_ = std::clamp(delay_ * 2, limits_.retry_min, limits_.retry_max);
  retry_at_ = now + delay_;
}

} // namespace rookery::actors
