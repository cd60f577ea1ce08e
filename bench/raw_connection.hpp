#pragma once

#include "bridge/amqp/tcp_connection.hpp"

#include <asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace rookery::bench {

/// Where a broker listens, and who asks: empty user = SASL ANONYMOUS.
struct broker_endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string user = {};
  std::string password = {};
};

/// A client of one connection and one session on our own loop: no actors, no
/// envelope, no ledger. What it costs is AMQP itself.
/// @thread the one that calls `run`
class raw_connection : public amqp::engine_handler {
public:
  /// Connects; throws asio::system_error when nobody listens.
  explicit raw_connection(const broker_endpoint& where);

  /// Until `close` was answered. @returns what ended the connection: empty
  /// when we did.
  std::string run();

protected:
  /// The connection is open: time to make links.
  virtual void opened() = 0;

  /// The terminus of the broker's side is `address`.
  amqp::link make_sender(const std::string& address);
  /// One a connection; says "ready" on stderr when the broker has opened it.
  amqp::link make_receiver(const std::string& address);
  /// Accepts what came, and gives credit back by halves.
  void accept(amqp::link from, amqp::delivery d);
  void close();
  /// Closes with a reason that `run` returns.
  void fail(const std::string& why);

private:
  void on_open(const amqp::peer_info&) override;
  void on_link_open(amqp::link x, bool ours) override;
  void on_link_closed(amqp::link x, const amqp::condition& why) override;
  void on_message(amqp::link, amqp::delivery, std::string&) override {}
  void on_session_closed(amqp::session, const amqp::condition& why) override;
  void on_closed(const amqp::condition& why) override;

  asio::io_context io_{1};
  std::shared_ptr<amqp::tcp_connection> connection_;
  amqp::session session_;
  std::uint32_t used_ = 0; // credit not given back yet
  std::string failure_;
  bool closing_ = false; // what ends now ends because we close
};

} // namespace rookery::bench
