#pragma once

#include "bridge/amqp/link.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace rookery::amqp {

/// Deliveries whose handlers have not finished, by a number that is safe to
/// hand to other threads: a stale one finds nothing. Holds at most the sum of
/// the receive windows. O(1); a slot is used again with another number.
class delivery_table {
public:
  struct entry {
    delivery handle; // empty once its link is gone
    std::size_t receiver = 0;
    /// The pack that it is in, and its place there; 0 = it came alone.
    std::uint64_t pack = 0;
    std::size_t part = 0;
  };

  [[nodiscard]] std::uint64_t add(const entry& content) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    auto index = free_.back();
    free_.pop_back();
    auto& x = slots_[index];
    x.used = true;
    x.content = content;
    return (std::uint64_t{x.generation} << 32) | index;
  }

  /// Takes an entry out; nothing when it is not there.
  [[nodiscard]] std::optional<entry> take(std::uint64_t number) {
    auto* x = find(number);
    if (x == nullptr)
      return std::nullopt;
    x->used = false;
    // 28 bits, so that a number also fits where CAF keeps request ids.
    x->generation = std::max((x->generation + 1) & 0x0fffffffU, 1U);
    free_.push_back(static_cast<std::uint32_t>(number));
    return x->content;
  }

  /// Whether it is there and came in a pack.
  [[nodiscard]] bool is_part(std::uint64_t number) const {
    const auto index = static_cast<std::uint32_t>(number);
    return index < slots_.size() && slots_[index].used
           && slots_[index].generation
                  == static_cast<std::uint32_t>(number >> 32)
           && slots_[index].content.pack != 0;
  }

  /// A copy of an entry, which has no handle any more then; nothing when it is
  /// not there.
  [[nodiscard]] std::optional<entry> take_handle(std::uint64_t number) {
    auto* x = find(number);
    if (x == nullptr)
      return std::nullopt;
    auto result = x->content;
    x->content.handle = {};
    return result;
  }

  /// The links are gone: nothing can be settled any more.
  void forget_handles() {
    for (auto& x : slots_)
      x.content.handle = {};
  }

  /// The same for the link of one receiver.
  void forget_handles_of(std::size_t receiver) {
    for (auto& x : slots_)
      if (x.content.receiver == receiver)
        x.content.handle = {};
  }

  /// The peer settled this one behind our back.
  void forget_handle(delivery gone) {
    for (auto& x : slots_)
      if (x.used && x.content.handle == gone)
        x.content.handle = {};
  }

  [[nodiscard]] std::size_t size() const {
    return slots_.size() - free_.size();
  }

private:
  struct slot {
    entry content;
    std::uint32_t generation = 1; // never 0: no number is 0
    bool used = false;
  };

  // Null when it is not there.
  [[nodiscard]] slot* find(std::uint64_t number) {
    auto index = static_cast<std::uint32_t>(number);
    if (index >= slots_.size())
      return nullptr;
    auto& x = slots_[index];
    const auto known =
        x.used && x.generation == static_cast<std::uint32_t>(number >> 32);
    return known ? &x : nullptr;
  }

  std::vector<slot> slots_;
  std::vector<std::uint32_t> free_; // indexes into slots_
};

} // namespace rookery::amqp
