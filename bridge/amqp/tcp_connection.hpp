#pragma once

#include "bridge/amqp/engine.hpp"

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace rookery::amqp {

/// Carries bytes between one socket and one engine, and keeps its time.
///
/// Lives in a shared_ptr that its own pending operations hold, so it stays
/// until the socket is closed and the last of them came back.
/// @thread the one that runs the io_context
class tcp_connection : public std::enable_shared_from_this<tcp_connection> {
public:
  /// `handler` must live until its `on_closed`. Nothing happens before
  /// `start`.
  tcp_connection(asio::ip::tcp::socket socket, engine::side role,
                 engine_options options, engine_handler& handler);

  /// Begins the conversation. The peer must have opened within `open_timeout`,
  /// or the connection ends: silence in the connect and SASL phases is not
  /// covered by AMQP's own idle timeout.
  void start(std::chrono::milliseconds open_timeout);

  /// Runs what is pending: call it after using the engine from outside one of
  /// its own callbacks.
  void pump();

  /// From within a callback of the engine: what there is to write waits for the
  /// next `pump`, which the caller sees to.
  void hold() { held_ = true; }

  /// Ends the connection at once; `on_closed` comes before this returns.
  void abort(const condition& why);

  [[nodiscard]] amqp::engine& engine() { return engine_; }

private:
  // Hands out what happened. @returns whether the connection goes on
  bool dispatch();
  void read();
  void write();
  void wake_at(engine::clock::time_point when);
  void finish();

  asio::ip::tcp::socket socket_;
  asio::steady_timer clock_;      // the engine's next tick
  asio::steady_timer open_timer_; // runs until the peer opened
  amqp::engine engine_;
  bool reading_ = false;  // an async_read is under way
  bool writing_ = false;  // an async_write is under way
  bool held_ = false;     // the pump under way is not to write
  bool armed_ = false;    // clock_ is running
  bool pumping_ = false;  // pump is on the stack: callbacks may call it again
  bool finished_ = false; // the engine is done and the socket closed
};

} // namespace rookery::amqp
