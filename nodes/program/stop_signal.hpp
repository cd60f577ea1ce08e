#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace rookery::nodes {

/// Waits for SIGTERM and SIGINT. The first one asks the process to stop; it is
/// ended at once, with exit code 1, by a second one, and when it has not
/// stopped in time; by SIGALRM a second later if even that cannot be told.
///
/// Make it before any other thread: it blocks the signals in the thread that
/// makes it and in all that this thread starts. One in a process.
class stop_signal {
public:
  /// @param stop_timeout from the first signal to the end
  /// @param forced told why the process is ended, just before; has a second
  stop_signal(std::chrono::milliseconds stop_timeout,
              std::function<void(const char*)> forced);
  /// The process stopped in time.
  ~stop_signal();
  stop_signal(const stop_signal&) = delete;
  stop_signal& operator=(const stop_signal&) = delete;

  [[nodiscard]] bool stopping() const;
  /// As the first signal does; nothing when the process is stopping already.
  /// @thread any
  void ask();
  /// Returns at the first signal.
  void wait();
  /// The same, but not for longer than `span`. @returns `stopping()`
  bool wait_for(std::chrono::milliseconds span);

private:
  using clock = std::chrono::steady_clock;

  void run();
  void begin();

  std::chrono::milliseconds stop_timeout_;
  std::function<void(const char*)> forced_;
  mutable std::mutex mutex_; // guards the four below
  bool stopping_ = false;
  clock::time_point began_;
  clock::time_point deadline_ = clock::time_point::max();
  bool over_ = false;
  std::condition_variable changed_;
  std::thread thread_; // last: it uses all others
};

} // namespace rookery::nodes
