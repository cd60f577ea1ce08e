#include "bridge/amqp/tcp_connection.hpp"

#include <asio/buffer.hpp>

#include <utility>

namespace rookery::amqp {

tcp_connection::tcp_connection(asio::ip::tcp::socket socket, engine::side role,
                               engine_options options, engine_handler& handler)
    : socket_{std::move(socket)},
      clock_{socket_.get_executor()},
      open_timer_{socket_.get_executor()},
      engine_{role, std::move(options), handler} {
  asio::error_code ignored; // a socket that refuses it only gets slower
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  // Else the one write of `abort` would wait for a peer that does not read.
  socket_.non_blocking(true, ignored);
}

void tcp_connection::start(std::chrono::milliseconds open_timeout) {
  open_timer_.expires_after(open_timeout);
  open_timer_.async_wait([self = shared_from_this()](asio::error_code failed) {
    if (!failed && !self->finished_ && !self->engine_.opened())
      self->abort({"amqp:connection:forced",
                   "the peer did not open the connection in time"});
  });
  pump();
}

void tcp_connection::pump() {
  if (pumping_ || finished_)
    return;
  // First: what the clock ends is to be reported now, not at the next tick.
  auto next = engine_.tick(engine::clock::now());
  if (!dispatch())
    return;
  if (!std::exchange(held_, false))
    write();
  // Of a login without a common mechanism Proton tells only when it writes.
  if (!engine_.opened() && !dispatch())
    return;
  read();
  if (next)
    wake_at(*next);
}

bool tcp_connection::dispatch() {
  pumping_ = true;
  const auto alive = engine_.dispatch();
  pumping_ = false;
  if (!alive)
    finish();
  else if (engine_.broken())
    abort({});
  return !finished_;
}

void tcp_connection::abort(const condition& why) {
  if (finished_)
    return;
  if (!engine_.broken())
    engine_.close(why);
  // What is left to say, the reason among it, is worth one try and no wait.
  if (!writing_) {
    auto bytes = engine_.write_buffer();
    asio::error_code ignored;
    socket_.non_blocking(true, ignored);
    if (!bytes.empty())
      socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ignored);
  }
  engine_.read_closed();
  engine_.write_closed();
  const auto inside = std::exchange(pumping_, true);
  engine_.dispatch();
  pumping_ = inside;
  finish();
}

void tcp_connection::read() {
  if (reading_ || finished_)
    return;
  auto room = engine_.read_buffer();
  if (room.empty())
    return;
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(room.data(), room.size()),
      [self = shared_from_this()](asio::error_code failed, std::size_t n) {
        self->reading_ = false;
        if (self->finished_)
          return;
        if (failed)
          self->engine_.read_closed();
        else
          self->engine_.read_done(n);
        self->pump();
      });
}

void tcp_connection::write() {
  if (writing_ || finished_)
    return;
  auto bytes = engine_.write_buffer();
  if (bytes.empty())
    return;
  writing_ = true;
  socket_.async_write_some(
      asio::buffer(bytes.data(), bytes.size()),
      [self = shared_from_this()](asio::error_code failed, std::size_t n) {
        self->writing_ = false;
        if (self->finished_)
          return;
        if (failed)
          self->abort({"proton:io", failed.message()});
        else
          self->engine_.write_done(n);
        self->pump();
      });
}

void tcp_connection::wake_at(engine::clock::time_point when) {
  // Every byte received moves the deadline; a timer that fires early finds
  // that out and is cheaper than one that is set anew each time.
  if (armed_ && clock_.expiry() <= when)
    return;
  armed_ = true;
  clock_.expires_at(when);
  clock_.async_wait([self = shared_from_this()](asio::error_code failed) {
    if (failed)
      return;
    self->armed_ = false;
    self->pump();
  });
}

void tcp_connection::finish() {
  if (finished_)
    return;
  finished_ = true;
  clock_.cancel();
  open_timer_.cancel();
  asio::error_code ignored; // it is being thrown away
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

} // namespace rookery::amqp
