#include "nodes/program/broker_thread.hpp"

#include <asio/post.hpp>

namespace rookery::nodes {

bridge::expected<std::unique_ptr<broker_thread>, std::string>
broker_thread::start(const bridge::endpoint& listen, broker::event_sink& sink) {
  std::unique_ptr<broker_thread> result{new broker_thread};
  broker::server_options options;
  options.address = listen.host == "localhost" ? "127.0.0.1" : listen.host;
  options.port = listen.port;
  auto server = broker::server::start(result->io_, options, sink);
  if (!server)
    return bridge::unexpected{server.error()};
  result->server_ = std::move(*server);
  result->listens_ = {options.address, result->server_->port()};
  result->thread_ = std::thread{[self = result.get()] {
    auto work = asio::make_work_guard(self->io_); // until stop
    self->io_.run();
  }};
  return result;
}

bridge::endpoint broker_thread::reachable() const {
  auto result = listens_;
  if (result.host == "0.0.0.0")
    result.host = "127.0.0.1";
  else if (result.host == "::")
    result.host = "::1";
  return result;
}

broker_thread::~broker_thread() {
  io_.stop();
  if (thread_.joinable())
    thread_.join();
}

void broker_thread::stop(std::chrono::milliseconds timeout) {
  asio::post(
      io_, [this, timeout] { server_->stop(timeout, [this] { io_.stop(); }); });
  thread_.join();
}

} // namespace rookery::nodes
