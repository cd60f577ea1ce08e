#pragma once

#include "bridge/amqp/loop.hpp"
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

/// The loop of a bridge on TCP: one thread, joined in the destructor.
class io_loop final : public loop {
public:
  /// `served` and `host` must outlive the loop.
  io_loop(loop_options options, client& served, loop_owner& host);
  ~io_loop() override;
  io_loop(const io_loop&) = delete;
  io_loop& operator=(const io_loop&) = delete;

  void start() override;
  void wake() override { waker_.notify(); }
  void post(std::function<void()> f) override;
  void close() override;
  void stop() override;

private:
  template <class F>
  void guarded(F&& f) noexcept;
  void run() noexcept;
  void connect();
  void dial();
  void resolved(const std::string& where, asio::error_code error,
                const asio::ip::tcp::resolver::results_type& found);
  void connected(asio::ip::tcp::socket socket);
  void failed(const std::string& why);
  void connect_later();
  void turn();
  void keep_time();
  void connection_is_good();

  loop_options options_;
  client& client_;
  loop_owner& owner_;
  asio::io_context context_{1};
  asio::ip::tcp::resolver resolver_{context_};
  asio::ip::tcp::socket dialling_{context_}; // while a connect is under way
  asio::steady_timer dial_timer_{context_};  // its deadline, or the backoff
  asio::steady_timer turn_timer_{context_};
  bridge::backoff backoff_;
  bridge::waker waker_;
  std::weak_ptr<tcp_connection> connection_;
  std::size_t next_broker_ = 0;
  std::size_t dials_ = 0;   // attempts since a connection was good
  bool connecting_ = false; // an attempt or a backoff is under way
  bool timed_out_ = false;  // this attempt took longer than open_timeout
  bool closing_ = false;    // close() was called
  std::thread thread_;      // last: it uses all of the above
};

} // namespace rookery::amqp
