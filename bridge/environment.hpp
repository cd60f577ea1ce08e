#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace rookery::amqp {
class client;
class loop;
class loop_owner;
struct loop_options;
} // namespace rookery::amqp

namespace rookery::bridge {

/// Runs functions one after the other, where they may block.
class worker {
public:
  /// As `stop`.
  virtual ~worker() = default;
  /// @thread any
  virtual void post(std::function<void()> f) = 0;
  /// Waits for what runs; what waits never runs. Idempotent.
  /// @thread any but its own
  virtual void stop() = 0;
};

/// What a bridge takes from the world around it: time, chance, a thread, and a
/// way to the broker. A simulation gives its own.
struct environment {
  /// Never goes back, nor stands still while the machine sleeps. @thread any
  std::function<std::chrono::steady_clock::time_point()> now;
  /// The calendar's time, which outlives the process. @thread any
  std::function<std::chrono::system_clock::time_point()> wall_now;
  /// Uniform numbers. @thread any
  std::function<std::uint64_t()> random;
  /// Makes what connects `client` to a broker; both arguments outlive it.
  std::function<std::unique_ptr<amqp::loop>(
      const amqp::loop_options&, amqp::client& client, amqp::loop_owner& owner)>
      make_loop;
  std::function<std::unique_ptr<worker>()> make_worker;
};

/// The machine's: its clock, its entropy, TCP.
[[nodiscard]] environment machine();

} // namespace rookery::bridge
