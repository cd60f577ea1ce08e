#pragma once

#include <atomic>
#include <functional>

namespace rookery::bridge {

/// Wakes the IO thread once, however many threads ask before it gets up.
/// Order matters on both sides: first push, then `notify`; first `reset`, then
/// take. Then nothing pushed is ever left behind asleep.
class waker {
public:
  /// `wake` makes the IO thread call `reset` soon; it is called on the
  /// notifying thread, must not block and must not throw.
  explicit waker(std::function<void()> wake);

  waker(const waker&) = delete;
  waker& operator=(const waker&) = delete;

  /// Something was pushed. @thread any
  void notify();

  /// The IO thread is up and is about to take. @thread proton
  void reset() noexcept;

private:
  std::function<void()> wake_;
  std::atomic<bool> pending_{false}; // wake_ was called, reset was not
};

} // namespace rookery::bridge
