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

/// What a bridge takes from the world around it: time, chance, and a way to
/// the broker. A simulation gives its own.
struct environment {
  /// Never goes back. @thread any
  std::function<std::chrono::steady_clock::time_point()> now;
  /// Uniform numbers. @thread any
  std::function<std::uint64_t()> random;
  /// Makes what connects `client` to a broker; both arguments outlive it.
  std::function<std::unique_ptr<amqp::loop>(
      const amqp::loop_options&, amqp::client& client, amqp::loop_owner& owner)>
      make_loop;
};

/// The machine's: its clock, its entropy, TCP.
[[nodiscard]] environment machine();

} // namespace rookery::bridge
