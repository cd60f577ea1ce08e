#pragma once

#include "broker/server.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

namespace rookery::tests {

/// The embedded broker on a loopback port, in a thread of its own.
class loopback_broker {
public:
  /// Listens before it returns; port 0 = any free one.
  explicit loopback_broker(std::uint16_t port = 0) {
    broker::server_options options;
    options.port = port;
    auto made = broker::server::start(io_, options, sink_);
    if (!made)
      throw std::runtime_error{made.error()};
    server_ = std::move(*made);
    port_ = server_->port();
    thread_ = std::thread{[this] { io_.run(); }};
  }

  /// As a crash does: everything it held is gone, nobody is told.
  ~loopback_broker() {
    io_.stop();
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  [[nodiscard]] broker::broker_counters counters() {
    std::promise<broker::broker_counters> result;
    asio::post(io_, [&] { result.set_value(server_->counters()); });
    return result.get_future().get();
  }

private:
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{
      io_.get_executor()};
  broker::event_sink sink_;
  std::unique_ptr<broker::server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

} // namespace rookery::tests
