#pragma once

#include "broker/core/entry.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rookery::broker {

/// One delivery of one consumer; 64 bits that fit a delivery tag or a pointer.
/// Never 0, so 0 may stand for "pre-settled".
using delivery_id = std::uint64_t;

/// The deliveries a consumer has not settled. Both operations are constant
/// time. Slots are reused, rather than numbered on: one message held for ever
/// among millions settled must cost one slot, not millions. A slot's
/// generation makes a second settlement of the same delivery miss.
class unsettled {
public:
  [[nodiscard]] delivery_id put(entry held);
  /// @returns false when `id` is not held (any more); `into` is then unchanged.
  [[nodiscard]] bool take(delivery_id id, entry& into);

  /// Empties it into `sink(entry&&)`, in no order.
  template <class Sink>
  void take_all(Sink&& sink) {
    for (auto& each : slots_)
      if (each.held.message)
        sink(std::move(each.held));
    reset();
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

private:
  struct slot {
    /// Its message is null exactly when the slot is free.
    entry held;
    std::uint32_t generation = 1;
    /// The next free slot, while this one is free.
    std::uint32_t free_next = none;
  };
  static constexpr std::uint32_t none = 0xffff'ffff;

  void reset();

  std::vector<slot> slots_;
  std::uint32_t free_first_ = none;
  std::size_t size_ = 0;
};

} // namespace rookery::broker
