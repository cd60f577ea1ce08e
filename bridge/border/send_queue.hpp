#pragma once

#include "bridge/assert.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

namespace rookery::bridge {

/// What `send_queue::push` did.
enum class push_result : std::uint8_t {
  /// Queued; the taker knows already that there is work.
  queued,
  /// Queued as the first: the caller must wake the taker.
  queued_first,
  /// Refused: `messages_max` or `bytes_max` reached.
  full,
  /// Refused: `close` was called.
  closed,
};

[[nodiscard]] constexpr bool accepted(push_result x) noexcept {
  return x == push_result::queued || x == push_result::queued_first;
}

struct send_queue_limits {
  std::size_t messages_max = 8192;
  std::size_t bytes_max = 16U << 20;
};

/// Messages on their way from any thread to the IO thread, for one
/// destination, in order of `push` per pushing thread. Bounded twice; never
/// waits. A mutex held for a few moves, because the bound in bytes and the
/// empty edge must agree with the content, and one lock per batch is cheap.
template <class T>
class send_queue {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit send_queue(send_queue_limits limits) : limits_(limits) {
    ROOKERY_ASSERT(limits.messages_max > 0 && limits.bytes_max > 0);
  }

  /// Queues `item`, which weighs `bytes`. Unless the result is `accepted`,
  /// `item` is untouched. A message heavier than `bytes_max` never fits.
  /// @param expires when `take_expired` takes it @thread any
  [[nodiscard]] push_result push(T&& item, std::size_t bytes,
                                 time_point expires = time_point::max()) {
    std::lock_guard guard{mutex_};
    if (closed_)
      return push_result::closed;
    if (!has_room(bytes))
      return push_result::full;
    return add(std::move(item), bytes, expires);
  }

  /// The same, but makes room: what is oldest, but what `stays(item)`, goes to
  /// `evicted`, oldest first. Full is only what does not fit beside the rest.
  /// @thread any
  template <class F>
  [[nodiscard]] push_result push_over(T&& item, std::size_t bytes,
                                      time_point expires, F stays,
                                      std::vector<T>& evicted) {
    std::lock_guard guard{mutex_};
    if (closed_)
      return push_result::closed;
    auto count = items_.size();
    auto sum = bytes_;
    const auto fits = [&] {
      return count < limits_.messages_max && sum + bytes <= limits_.bytes_max;
    };
    std::size_t looked_at = 0;
    for (; looked_at < items_.size() && !fits(); ++looked_at)
      if (const auto& x = items_[looked_at]; !stays(x.item)) {
        --count;
        sum -= x.bytes;
      }
    if (!fits())
      return push_result::full;
    std::deque<entry> kept;
    for (; looked_at > 0; --looked_at) {
      auto& x = items_.front();
      if (stays(x.item))
        kept.push_back(std::move(x));
      else
        evicted.push_back(std::move(x.item));
      items_.pop_front();
    }
    items_.insert(items_.begin(), std::make_move_iterator(kept.begin()),
                  std::make_move_iterator(kept.end()));
    bytes_ = sum;
    return add(std::move(item), bytes, expires);
  }

  /// Appends up to `count_max` items to `out`, oldest first, until they weigh
  /// `bytes_max` or more. An IO thread that leaves some (no credit) comes back
  /// by itself: no push will wake it.
  /// @returns how many are left. @thread proton
  std::size_t take(std::size_t count_max, std::size_t bytes_max,
                   std::vector<T>& out) {
    return take_while(
        count_max, bytes_max, [](const T&) { return true; }, out);
  }
  std::size_t take(std::size_t count_max, std::vector<T>& out) {
    return take(count_max, limits_.bytes_max, out);
  }

  /// The same, while `wanted(item)` is true of the oldest. @thread proton
  template <class F>
  std::size_t take_while(std::size_t count_max, std::size_t bytes_max, F wanted,
                         std::vector<T>& out) {
    std::lock_guard guard{mutex_};
    std::size_t taken = 0; // bytes; what weighs nothing is taken, too
    for (auto more = bytes_max > 0;
         more && count_max > 0 && !items_.empty()
         && wanted(std::as_const(items_.front().item));
         --count_max) {
      taken += items_.front().bytes;
      more = taken < bytes_max;
      out.push_back(pop());
    }
    return items_.size();
  }

  /// Appends all that expired by `now` to `out`, oldest first. Looks at nothing
  /// while nothing can have expired. @thread proton
  void take_expired(time_point now, std::vector<T>& out) {
    std::lock_guard guard{mutex_};
    if (now >= first_expires_)
      move_if([now](const entry& x) { return x.expires <= now; }, out);
  }

  /// The same of those for which `wanted(item)`. @thread proton
  template <class F>
  void take_if(F wanted, std::vector<T>& out) {
    std::lock_guard guard{mutex_};
    move_if([&wanted](const entry& x) { return wanted(x.item); }, out);
  }

  /// Holds `messages` more from now on. @thread any
  void add_room(std::size_t messages) {
    std::lock_guard guard{mutex_};
    limits_.messages_max +=
        std::min(messages, std::numeric_limits<std::size_t>::max()
                               - limits_.messages_max);
  }

  /// Takes that back. What is in stays. @thread any
  void remove_room(std::size_t messages) {
    std::lock_guard guard{mutex_};
    ROOKERY_ASSERT(messages <= limits_.messages_max);
    limits_.messages_max -= messages;
  }

  /// Refuses every later push; what is in stays for `take`. @thread any
  void close() {
    std::lock_guard guard{mutex_};
    closed_ = true;
  }

  /// Whether a message that weighs `bytes` fits when nothing else is in.
  /// @thread any
  [[nodiscard]] bool may_fit(std::size_t bytes) const {
    return bytes <= limits_.bytes_max;
  }

  /// Whether it does now. @thread any
  [[nodiscard]] bool fits(std::size_t bytes) const {
    std::lock_guard guard{mutex_};
    return has_room(bytes);
  }

  /// What a push of `bytes` would do now: `queued`, `full` or `closed`. Others
  /// may come before it. @thread any
  [[nodiscard]] push_result would_push(std::size_t bytes) const {
    std::lock_guard guard{mutex_};
    if (closed_)
      return push_result::closed;
    return has_room(bytes) ? push_result::queued : push_result::full;
  }

  /// Calls `f(item)` on all that wait, oldest first. @thread any
  template <class F>
  void for_each(F f) const {
    std::lock_guard guard{mutex_};
    for (const auto& x : items_)
      f(x.item);
  }

  /// Snapshots, for metrics and limits. @thread any
  [[nodiscard]] std::size_t size() const {
    std::lock_guard guard{mutex_};
    return items_.size();
  }
  [[nodiscard]] std::size_t bytes() const {
    std::lock_guard guard{mutex_};
    return bytes_;
  }
  /// What `f(item)` says of the oldest; false while there is none. @thread any
  template <class F>
  [[nodiscard]] bool oldest_is(F f) const {
    std::lock_guard guard{mutex_};
    return !items_.empty() && f(items_.front().item);
  }
  /// Whether at most half of each bound is taken. @thread any
  [[nodiscard]] bool half_empty() const {
    std::lock_guard guard{mutex_};
    return items_.size() <= limits_.messages_max / 2
           && bytes_ <= limits_.bytes_max / 2;
  }

private:
  struct entry {
    T item;
    std::size_t bytes;
    time_point expires;
  };

  // The rest: call it with mutex_ held.

  [[nodiscard]] bool has_room(std::size_t bytes) const {
    return items_.size() < limits_.messages_max
           && bytes <= limits_.bytes_max - bytes_;
  }
  push_result add(T&& item, std::size_t bytes, time_point expires) {
    items_.push_back({std::move(item), bytes, expires});
    bytes_ += bytes;
    first_expires_ = std::min(first_expires_, expires);
    return items_.size() == 1 ? push_result::queued_first : push_result::queued;
  }
  template <class F>
  void move_if(F wanted, std::vector<T>& out) {
    first_expires_ = time_point::max();
    auto left = items_.begin();
    for (auto& x : items_) {
      if (wanted(x)) {
        out.push_back(std::move(x.item));
        bytes_ -= x.bytes;
        continue;
      }
      first_expires_ = std::min(first_expires_, x.expires);
      if (&*left != &x)
        *left = std::move(x);
      ++left;
    }
    items_.erase(left, items_.end());
  }
  T pop() {
    auto& front = items_.front();
    auto result = std::move(front.item);
    bytes_ -= front.bytes;
    items_.pop_front();
    return result;
  }

  // Guards all below, but that no bound in bytes changes.
  mutable std::mutex mutex_;
  send_queue_limits limits_;
  std::deque<entry> items_;
  std::size_t bytes_ = 0; // sum over items_, <= bytes_max
  // No item expires before; some that did may have been taken since.
  time_point first_expires_ = time_point::max();
  bool closed_ = false;
};

} // namespace rookery::bridge
