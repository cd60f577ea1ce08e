#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rookery::bridge {

/// Numbers ordered by deadline, where any of them can be erased in O(log n).
/// A plain priority queue would keep an answered request until its deadline:
/// its size would be rate x timeout, not the number of waiting requests.
class deadline_heap {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct item {
    time_point deadline;
    std::uint64_t number;
    std::size_t* slot; // where the owner keeps this item's place
  };

  /// `*slot` is kept at the item's place for `erase`, so it must not move
  /// before the item is gone.
  void push(time_point deadline, std::uint64_t number, std::size_t* slot);

  /// Removes the item at place `slot`; 0 is the earliest.
  void erase(std::size_t slot);

  /// The earliest deadline; of equal ones the smallest number.
  [[nodiscard]] const item& top() const;
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

private:
  void put(std::size_t slot, const item& x);
  void sift_up(std::size_t slot, const item& x);
  void sift_down(std::size_t slot, const item& x);

  std::vector<item> items_; // binary heap
};

} // namespace rookery::bridge
