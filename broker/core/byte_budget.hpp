#pragma once

#include <cstdint>

namespace rookery::broker {

/// What all queues of a virtual host may hold together. A message in sixteen
/// queues counts sixteen times though it is stored once: a limit must be easy
/// to foresee, and this errs on the safe side.
class byte_budget {
public:
  explicit byte_budget(std::uint64_t max) : max_{max} {}

  /// @returns false, and takes nothing, when that is more than is left.
  [[nodiscard]] bool take(std::uint64_t cost) {
    if (cost > max_ - used_)
      return false;
    used_ += cost;
    return true;
  }
  /// Returns what was taken.
  void give_back(std::uint64_t cost) { used_ -= cost; }

  [[nodiscard]] std::uint64_t used() const { return used_; }

private:
  std::uint64_t max_;
  /// At most `max_`.
  std::uint64_t used_ = 0;
};

} // namespace rookery::broker
