#include "bench/raw_connection.hpp"

#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>

#include <iostream>
#include <utility>

namespace rookery::bench {

namespace {

constexpr std::uint32_t credit_max = 1'000; // as of the other clients here

} // namespace

raw_connection::raw_connection(const broker_endpoint& where) {
  asio::ip::tcp::socket socket{io_};
  socket.connect({asio::ip::make_address(where.host), where.port});
  amqp::engine_options options{.container_id = "bench-raw"};
  options.hostname = where.host;
  options.user = where.user;
  options.password = where.password;
  connection_ = std::make_shared<amqp::tcp_connection>(
      std::move(socket), amqp::engine::side::client, options, *this);
}

std::string raw_connection::run() {
  connection_->start(std::chrono::seconds{5});
  io_.run();
  return failure_;
}

amqp::link raw_connection::make_sender(const std::string& address) {
  auto made = connection_->engine().make_sender(session_, "to " + address);
  made.open({.source = "bench", .target = address});
  return made;
}

amqp::link raw_connection::make_receiver(const std::string& address) {
  auto made = connection_->engine().make_receiver(session_, "from " + address);
  made.open({.source = address, .target = "bench"});
  made.add_credit(credit_max);
  return made;
}

void raw_connection::accept(amqp::link from, amqp::delivery d) {
  d.settle(bridge::outcome::accepted());
  if (++used_ == credit_max / 2) {
    from.add_credit(used_);
    used_ = 0;
  }
}

void raw_connection::close() {
  if (!std::exchange(closing_, true))
    connection_->engine().close();
}

void raw_connection::fail(const std::string& why) {
  if (!closing_)
    failure_ = why;
  close();
}

void raw_connection::on_open(const amqp::peer_info&) {
  session_ = connection_->engine().open_session();
  opened();
}

void raw_connection::on_link_open(amqp::link x, bool ours) {
  if (!ours)
    x.refuse({"amqp:not-allowed", "this client takes no links"});
  else if (!x.is_sender())
    std::cerr << "ready" << std::endl;
}

void raw_connection::on_link_closed(amqp::link, const amqp::condition& why) {
  fail("a link was closed: " + why.text());
}

void raw_connection::on_session_closed(amqp::session,
                                       const amqp::condition& why) {
  fail("the session was ended: " + why.text());
}

void raw_connection::on_closed(const amqp::condition& why) {
  if (!closing_)
    failure_ = why.text();
}

} // namespace rookery::bench
