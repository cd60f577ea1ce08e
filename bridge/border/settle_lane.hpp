#pragma once

#include "bridge/core/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace rookery::bridge {

/// The end of one delivery: its number and how it ended.
struct settlement {
  std::uint64_t delivery;
  outcome result;
  /// Only for its sender: it is still being handled, and keeps its place in
  /// the window until another settlement comes.
  bool early = false;
};

/// Ends of deliveries on their way to the IO thread. A lane of its own, so
/// that a full send queue can never hold back a settlement or the credit that
/// comes with it. Its bound is twice the sum of the receive windows, for each
/// delivery may be settled early besides, so a push beyond it is a bug and
/// aborts.
class settle_lane {
public:
  settle_lane() = default;

  /// Makes room for one more receiver's settlements. @thread any
  void add_window(std::size_t window);

  /// Takes the room back, when that receiver has nothing unfinished left.
  /// @thread any
  void remove_window(std::size_t window);

  /// Queues an end. Never waits for room, never refuses.
  /// @returns true when the lane was empty: the caller wakes the IO thread.
  /// @thread any
  [[nodiscard]] bool push(std::uint64_t delivery, outcome result,
                          bool early = false);

  /// Replaces `out` by all that is queued, oldest first. Hand in the same
  /// vector again: the two buffers change places and nothing is allocated.
  /// @thread proton
  void take(std::vector<settlement>& out);

private:
  std::mutex mutex_; // guards all below
  std::vector<settlement> items_;
  std::size_t settlements_max_ = 0; // sum of the windows
};

} // namespace rookery::bridge
