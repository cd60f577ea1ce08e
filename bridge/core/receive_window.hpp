#pragma once

#include <cstdint>

namespace rookery::bridge {

/// How much credit one receiving link may have: window - unfinished.
/// Unfinished is what was delivered and whose handler has not ended, so a slow
/// target slows its broker and memory stays within `window` messages.
/// Pure; owned by the receiver's owner, one thread.
class receive_window {
public:
  /// `window` in messages, >= 1.
  explicit receive_window(std::uint32_t window);

  /// A delivery came in. There was credit for it, or the engine is broken.
  void on_delivery();

  /// The last delivery has `messages` in it, which are unfinished besides. As
  /// many are expected of the next one, and half as many after each with fewer:
  /// credit that was granted before that may bring more than the window.
  void on_unpacked(std::uint32_t messages);

  /// The handler of one delivery ended, whatever its outcome. Also for one
  /// that came over a link that is gone.
  void on_finished();

  /// The link is gone and its credit with it; what is unfinished still runs.
  void on_link_lost() noexcept {
    credit_ = 0;
    expected_ = 1;
  }

  /// Credit to grant now, to be added to the link by the caller: 0, or all the
  /// room there is. Not for every message: only when half the window is free,
  /// or an eighth and the link has run dry, since a grant costs a frame (and
  /// an fsync on a quorum queue).
  [[nodiscard]] std::uint32_t top_up();

  /// As `top_up`, but all the room whatever it is. For a new link, and now and
  /// then for one that has run dry.
  [[nodiscard]] std::uint32_t fill();

  /// The same, to bring an idle one back to a full window.
  [[nodiscard]] std::uint32_t refill() {
    expected_ = 1;
    return fill();
  }

  [[nodiscard]] std::uint32_t window() const noexcept { return window_; }
  [[nodiscard]] std::uint32_t credit() const noexcept { return credit_; }
  [[nodiscard]] std::uint32_t unfinished() const noexcept {
    return unfinished_;
  }

private:
  [[nodiscard]] std::uint32_t room() const;

  std::uint32_t window_;
  std::uint32_t credit_ = 0; // granted, not used yet
  std::uint32_t unfinished_ = 0;
  std::uint32_t expected_ = 1; // messages of a delivery: as the last ones had
};

} // namespace rookery::bridge
