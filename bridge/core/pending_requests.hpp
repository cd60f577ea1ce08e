#pragma once

#include "bridge/assert.hpp"
#include "bridge/core/deadline_heap.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

namespace rookery::bridge {

/// Requests that wait for their reply, by the number in their message-id.
/// Bounded: a request too many is refused, not kept. Every entry leaves
/// through `take` or `expire`. Pure; not thread-safe.
template <class Value>
class pending_requests {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `requests_max` in requests, >= 1.
  explicit pending_requests(std::size_t requests_max)
      : requests_max_(requests_max) {
    ROOKERY_ASSERT(requests_max > 0);
  }

  /// Notes a request. False, and `value` is untouched, when `requests_max`
  /// are waiting. `number` must be new.
  [[nodiscard]] bool add(std::uint64_t number, time_point deadline,
                         Value&& value) {
    if (full())
      return false;
    auto [position, added] = entries_.try_emplace(number, std::move(value));
    ROOKERY_ASSERT(added);
    deadlines_.push(deadline, number, &position->second.slot);
    return true;
  }

  /// A reply to `number` came: takes its value out. Nothing when nobody waits
  /// (any more): counted as late.
  [[nodiscard]] std::optional<Value> take(std::uint64_t number) {
    auto position = entries_.find(number);
    if (position == entries_.end()) {
      ++late_replies_;
      return std::nullopt;
    }
    deadlines_.erase(position->second.slot);
    return remove(position);
  }

  /// Takes out every request whose deadline is at or before `now` and calls
  /// `f(number, value)` for each, earliest deadline first. `f` may call `add`.
  /// @returns how many.
  template <class F>
  std::size_t expire(time_point now, F&& f) {
    std::size_t count = 0;
    for (; !deadlines_.empty() && deadlines_.top().deadline <= now; ++count) {
      auto number = deadlines_.top().number;
      deadlines_.erase(0);
      auto value = remove(entries_.find(number));
      f(number, std::move(*value));
    }
    return count;
  }

  /// When `expire` has work again.
  [[nodiscard]] std::optional<time_point> next_deadline() const {
    if (deadlines_.empty())
      return std::nullopt;
    return deadlines_.top().deadline;
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// Whether one more would be refused.
  [[nodiscard]] bool full() const noexcept {
    return entries_.size() >= requests_max_;
  }
  /// Replies nobody waited for.
  [[nodiscard]] std::uint64_t late_replies() const noexcept {
    return late_replies_;
  }

private:
  struct entry {
    explicit entry(Value&& x) : value(std::move(x)) {}
    Value value;
    std::size_t slot = 0; // place in deadlines_, kept by it
  };
  using table = std::unordered_map<std::uint64_t, entry>;

  std::optional<Value> remove(typename table::iterator position) {
    ROOKERY_ASSERT(position != entries_.end());
    std::optional<Value> result{std::move(position->second.value)};
    entries_.erase(position);
    return result;
  }

  std::size_t requests_max_;
  table entries_; // its nodes do not move: deadlines_ points into them
  deadline_heap deadlines_; // one item per entry
  std::uint64_t late_replies_ = 0;
};

} // namespace rookery::bridge
