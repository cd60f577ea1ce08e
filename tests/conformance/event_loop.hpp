#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

namespace rookery::conformance {

/// Something that a script waited for and that did not come.
class unfulfilled : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Runs the clients of a script, in its thread, while the script waits.
class event_loop {
public:
  /// For any one thing. A quorum queue looks only every five seconds whether it
  /// is to expire, all else takes milliseconds.
  static constexpr std::chrono::seconds patience{20};

  /// Runs until `done()` is true.
  /// @throws unfulfilled, naming `what`, when that takes more than `patience`
  template <class F>
  void wait(const std::string& what, F&& done) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!done())
      if (io.run_one_until(deadline) == 0)
        throw unfulfilled{"waited in vain for " + what};
  }

  /// Lets `span` pass by a timer: for scripts about time. Clients go on.
  void pass(std::chrono::milliseconds span);

  asio::io_context io{1};

private:
  asio::executor_work_guard<asio::io_context::executor_type> work_{
      io.get_executor()};
};

} // namespace rookery::conformance
