#pragma once

#include "bridge/amqp/client.hpp"
#include "bridge/core/backoff.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rookery::amqp {

struct loop_options {
  /// Host and port of each broker, tried in turn.
  std::vector<std::pair<std::string, std::uint16_t>> brokers;
  engine_options engine;
  /// For the transport's connect, and again for SASL and OPEN.
  std::chrono::milliseconds open_timeout{5'000};
  bridge::backoff_options reconnect;
};

/// Where a loop reports, on its thread.
class loop_owner {
public:
  virtual ~loop_owner() = default;
  /// Somebody woke the loop, or 50 ms passed: move what lies at the border.
  virtual void on_turn() = 0;
  /// A connection could not be made; another attempt follows.
  virtual void on_unreachable(const std::string& why) = 0;
  /// Something on the loop threw; the loop goes on.
  virtual void on_exception(const std::string& what) = 0;
};

/// What carries a client's bytes: connects it, connects it again with a backoff
/// when the connection ends, and runs its owner's turn whenever somebody wakes
/// it. TCP and a thread in production, pipes in memory in a simulation.
class loop {
public:
  virtual ~loop() = default;

  /// Starts the first attempt to connect.
  virtual void start() = 0;
  /// Makes `on_turn` run soon, and not from within. @thread any
  virtual void wake() = 0;
  /// Runs `f` on the loop's thread, after what was posted before. @thread any
  virtual void post(std::function<void()> f) = 0;
  /// Closes the connection in order and makes no other. @thread the loop's
  virtual void close() = 0;
  /// Ends the loop, at once, and what is left of the connection. Idempotent.
  /// @thread any but the loop's
  virtual void stop() = 0;
};

} // namespace rookery::amqp
