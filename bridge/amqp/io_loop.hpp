#pragma once

#include "bridge/amqp/client.hpp"
#include "bridge/amqp/tcp_connection.hpp"
#include "bridge/border/waker.hpp"
#include "bridge/core/backoff.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rookery::amqp {

struct io_loop_options {
  /// Host and port of each broker, tried in turn.
  std::vector<std::pair<std::string, std::uint16_t>> brokers;
  engine_options engine;
  /// For the TCP connect, and again for SASL and OPEN.
  std::chrono::milliseconds open_timeout{5'000};
  bridge::backoff_options reconnect;
};

/// The IO thread of a client: connects it, connects it again with a backoff
/// when the connection ends, and runs its owner's turn whenever somebody wakes
/// it. Owns the thread; joins it in the destructor.
class io_loop {
public:
  /// Where the loop reports, on its thread.
  class owner {
  public:
    virtual ~owner() = default;
    /// Somebody woke the loop, or 50 ms passed: move what lies at the border.
    virtual void on_turn() = 0;
    /// A connection could not be made; another attempt follows.
    virtual void on_unreachable(const std::string& why) = 0;
    /// Something on the loop threw; the loop goes on.
    virtual void on_exception(const std::string& what) = 0;
  };

  /// `served` and `host` must outlive the loop.
  io_loop(io_loop_options options, client& served, owner& host);
  ~io_loop();
  io_loop(const io_loop&) = delete;
  io_loop& operator=(const io_loop&) = delete;

  /// Starts the thread and the first attempt to connect.
  void start();

  /// Makes `on_turn` run soon. @thread any
  void wake() { waker_.notify(); }

  /// Runs `f` on the loop's thread, after what was posted before. @thread any
  void post(std::function<void()> f);

  /// Closes the connection in order and makes no other. @thread the loop's
  void close();

  /// Ends the thread, at once, and what is left of the connection. Idempotent.
  /// @thread any but the loop's
  void stop();

private:
  template <class F>
  void guarded(F&& f) noexcept;
  void run() noexcept;
  void connect();
  void resolved(const std::string& where, asio::error_code error,
                const asio::ip::tcp::resolver::results_type& found);
  void connected(asio::ip::tcp::socket socket);
  void failed(const std::string& why);
  void connect_later();
  void turn();
  void keep_time();

  io_loop_options options_;
  client& client_;
  owner& owner_;
  asio::io_context context_{1};
  asio::ip::tcp::resolver resolver_{context_};
  asio::ip::tcp::socket dialling_{context_}; // while a connect is under way
  asio::steady_timer dial_timer_{context_};  // its deadline, or the backoff
  asio::steady_timer turn_timer_{context_};
  bridge::backoff backoff_;
  bridge::waker waker_;
  std::weak_ptr<tcp_connection> connection_;
  std::size_t next_broker_ = 0;
  bool connecting_ = false; // an attempt or a backoff is under way
  bool timed_out_ = false;  // this attempt took longer than open_timeout
  bool closing_ = false;    // close() was called
  std::thread thread_;      // last: it uses all of the above
};

} // namespace rookery::amqp
