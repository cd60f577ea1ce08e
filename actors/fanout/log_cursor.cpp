#include "actors/fanout/log_cursor.hpp"

#include <algorithm>

namespace rookery::actors {

log_cursor::verdict log_cursor::offer(std::uint64_t first,
                                      std::uint64_t count) {
  if (count == 0)
    return {};
  auto last = first + count - 1;
  if (last <= taken_)
    return {count, 0};
  if (first > taken_ + 1) {
    raise_head(last);
    return {};
  }
  auto known = taken_ + 1 - first;
  skip_to(last);
  return {known, count - known};
}

void log_cursor::raise_head(std::uint64_t seq) {
  if (!is_behind() && seq > taken_)
    ++gaps_;
  head_ = std::max(head_, seq);
}

void log_cursor::skip_to(std::uint64_t seq) {
  taken_ = std::max(taken_, seq);
  head_ = std::max(head_, taken_);
}

bool log_cursor::begin_read() {
  if (!is_behind() || is_reading_)
    return false;
  read_head_ = head_;
  return is_reading_ = true;
}

void log_cursor::found_nothing() noexcept {
  if (head_ == read_head_)
    head_ = taken_;
}

} // namespace rookery::actors
