#include "bridge/border/settle_lane.hpp"

#include "bridge/assert.hpp"

#include <utility>

namespace rookery::bridge {

void settle_lane::add_window(std::size_t window) {
  std::lock_guard guard{mutex_};
  settlements_max_ += window;
}

void settle_lane::remove_window(std::size_t window) {
  std::lock_guard guard{mutex_};
  ROOKERY_ASSERT(window <= settlements_max_);
  settlements_max_ -= window;
}

bool settle_lane::push(std::uint64_t delivery, outcome result, bool early) {
  std::lock_guard guard{mutex_};
  ROOKERY_ASSERT(items_.size() < settlements_max_);
  items_.push_back({delivery, std::move(result), early});
  return items_.size() == 1;
}

void settle_lane::take(std::vector<settlement>& out) {
  out.clear();
  std::lock_guard guard{mutex_};
  items_.swap(out);
}

} // namespace rookery::bridge
