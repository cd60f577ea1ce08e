#include "bridge/core/deadline_heap.hpp"

#include "bridge/assert.hpp"

#include <utility>

namespace rookery::bridge {

namespace {

bool before(const deadline_heap::item& a, const deadline_heap::item& b) {
  return a.deadline != b.deadline ? a.deadline < b.deadline
                                  : a.number < b.number;
}

} // namespace

void deadline_heap::push(time_point deadline, std::uint64_t number,
                         std::size_t* slot) {
  const item x{deadline, number, slot};
  items_.push_back(x);
  sift_up(items_.size() - 1, x);
}

void deadline_heap::erase(std::size_t slot) {
  ROOKERY_ASSERT(slot < items_.size());
  const auto last = items_.back();
  items_.pop_back();
  if (slot == items_.size())
    return;
  // The last item takes the free place, then moves up or down from there.
  if (slot > 0 && before(last, items_[(slot - 1) / 2]))
    sift_up(slot, last);
  else
    sift_down(slot, last);
}

const deadline_heap::item& deadline_heap::top() const {
  ROOKERY_ASSERT(!empty());
  return items_.front();
}

void deadline_heap::put(std::size_t slot, const item& x) {
  items_[slot] = x;
  *x.slot = slot;
}

void deadline_heap::sift_up(std::size_t slot, const item& x) {
  while (slot > 0 && before(x, items_[(slot - 1) / 2])) {
    put(slot, items_[(slot - 1) / 2]);
    slot = (slot - 1) / 2;
  }
  put(slot, x);
}

void deadline_heap::sift_down(std::size_t slot, const item& x) {
  for (auto child = 2 * slot + 1; child < items_.size(); child = 2 * slot + 1) {
    if (child + 1 < items_.size() && before(items_[child + 1], items_[child]))
      ++child;
    if (!before(items_[child], x))
      break;
    put(slot, items_[child]);
    slot = child;
  }
  put(slot, x);
}

} // namespace rookery::bridge
