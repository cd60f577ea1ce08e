#pragma once

#include "bridge/expected.hpp"
#include "broker/event_sink.hpp"
#include "broker/options.hpp"

#include <asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rookery::broker {

/// Where and how a broker listens. Its limits besides are in `broker`.
struct server_options {
  /// A numeric IPv4 or IPv6 address of this machine.
  std::string address = "127.0.0.1";
  /// 0 = any free one; `server::port` tells which.
  std::uint16_t port = 5672;
  broker_options broker = {};

  /// Connections at a time; one more is told so and turned away.
  std::size_t connections_max = 1'000;
  /// Sessions at a time on one connection.
  std::uint32_t sessions_max = 64;
  std::uint32_t frame_bytes_max = 128 * 1024;
  /// Taken from a client while nothing goes out to it, bytes. Well below what a
  /// node allows its broker, see `amqp::engine_options`.
  std::uint64_t unread_bytes_max = 1024 * 1024;
  /// A client that is silent for so long is cut off; what it held goes to
  /// others. At least 2 s, so that clients are given 1 s and keep to it.
  std::chrono::milliseconds idle_timeout{6'000};
  /// A client must have opened its connection within this time.
  std::chrono::milliseconds open_timeout{5'000};
};

/// The embedded broker on a TCP port.
///
/// It keeps everything in memory and says so when a client opens: OPEN has the
/// properties product, version, `volatile` = "true" and `incarnation`, random
/// for each server made; a client that meets another incarnation knows that
/// all messages and queues of the last are gone.
/// @thread the one that runs the io_context
class server {
public:
  /// Listens at once. `io` and `sink` must outlive the server; only one thread
  /// may run `io`.
  /// On failure: a sentence that names address, port and reason.
  [[nodiscard]] static bridge::expected<std::unique_ptr<server>, std::string>
  start(asio::io_context& io, const server_options& options, event_sink& sink);

  /// Cuts off who is still connected. Not from within a handler of `io` that
  /// belongs to the server, its `event_sink` included.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// 16 hex digits.
  [[nodiscard]] const std::string& incarnation() const;
  [[nodiscard]] broker_counters counters() const;

  /// Accepts nobody more and closes all connections with
  /// `amqp:connection:forced`; those that do not agree within `deadline` are
  /// cut off, and those that were never opened at once. Then calls `done`, from
  /// `io`. Once.
  void stop(std::chrono::milliseconds deadline, std::function<void()> done);

private:
  class impl;
  explicit server(std::shared_ptr<impl> self);

  std::shared_ptr<impl> impl_;
};

} // namespace rookery::broker
