#pragma once

#include "bridge/assert.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace rookery::bridge {

/// The ledger of one destination: what was handed to the wire and has no
/// outcome yet, in the order of sending. It outlives links: on a new link the
/// owner sends everything in it again, in order, before anything new.
/// Its numbers (1, 2, 3, ...) never repeat and serve as delivery tags.
/// Pure, amortized O(1); outcomes may come in any order. One thread.
template <class Item>
class send_window {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `in_flight_max` in messages, >= 1.
  explicit send_window(std::size_t in_flight_max)
      : in_flight_max_(in_flight_max) {
    ROOKERY_ASSERT(in_flight_max > 0);
  }

  /// Notes a send whose outcome is due at `deadline`; returns its number.
  /// The window must not be full.
  std::uint64_t push(Item item, time_point deadline) {
    ROOKERY_ASSERT(!full());
    entries_.push_back({std::move(item), deadline});
    ++unsettled_;
    return base_ + entries_.size() - 1;
  }

  /// What was pushed last; the window must not be empty. It stays in place
  /// until its outcome comes.
  [[nodiscard]] const Item& newest() const {
    ROOKERY_ASSERT(!entries_.empty() && entries_.back().item);
    return *entries_.back().item;
  }

  /// Null when it is not in the ledger.
  [[nodiscard]] const Item* find(std::uint64_t number) const {
    if (number < base_ || number - base_ >= entries_.size())
      return nullptr;
    const auto& item = entries_[static_cast<std::size_t>(number - base_)].item;
    return item ? &*item : nullptr;
  }

  /// The outcome of `number` came: takes the item out. Nothing when it is not
  /// in the ledger (a second outcome, or a number never given out): the peer
  /// is at fault, the ledger is not.
  [[nodiscard]] std::optional<Item> settle(std::uint64_t number) {
    if (number < base_ || number - base_ >= entries_.size())
      return std::nullopt;
    auto& slot = entries_[static_cast<std::size_t>(number - base_)];
    auto result = std::exchange(slot.item, std::nullopt);
    if (result)
      --unsettled_;
    while (!entries_.empty() && !entries_.front().item) {
      entries_.pop_front();
      ++base_;
    }
    return result;
  }

  /// Calls `f(number, item)` for everything unsettled, oldest first.
  /// `f` must not change the window.
  template <class F>
  void for_each_unsettled(F&& f) {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].item)
        f(base_ + i, *entries_[i].item);
  }

  /// Gives `number`, which must be unsettled, a new deadline: it is being sent
  /// again.
  void restart_deadline(std::uint64_t number, time_point deadline) {
    ROOKERY_ASSERT(number >= base_ && number - base_ < entries_.size());
    entries_[static_cast<std::size_t>(number - base_)].deadline = deadline;
  }

  /// The same for all of them.
  void restart_deadlines(time_point deadline) {
    for (auto& x : entries_)
      x.deadline = deadline;
  }

  /// The number of the oldest send without an outcome, if there is one.
  [[nodiscard]] std::uint64_t oldest() const noexcept { return base_; }

  /// Whether the oldest send has waited for its outcome up to its deadline.
  /// Only the oldest: a destination has one timeout, so deadlines rise.
  [[nodiscard]] bool expired(time_point now) const {
    auto deadline = oldest_deadline();
    return deadline && *deadline <= now;
  }

  [[nodiscard]] std::optional<time_point> oldest_deadline() const {
    if (entries_.empty())
      return std::nullopt;
    return entries_.front().deadline; // settle() keeps the front unsettled
  }

  /// Whether every slot is taken. Counts from the oldest unsettled send on, so
  /// that one missing outcome cannot let the ledger grow.
  [[nodiscard]] bool full() const noexcept {
    return entries_.size() >= in_flight_max_;
  }
  [[nodiscard]] bool empty() const noexcept { return unsettled_ == 0; }
  /// Sends without an outcome.
  [[nodiscard]] std::size_t unsettled() const noexcept { return unsettled_; }
  /// Sends that fit in now.
  [[nodiscard]] std::size_t room() const noexcept {
    return in_flight_max_ - entries_.size();
  }

private:
  struct entry_type {
    std::optional<Item> item; // nothing once settled
    time_point deadline;
  };

  std::size_t in_flight_max_;
  std::deque<entry_type> entries_; // front is unsettled, or all is empty
  std::uint64_t base_ = 1;         // number of entries_.front()
  std::size_t unsettled_ = 0;      // entries with an item
};

} // namespace rookery::bridge
