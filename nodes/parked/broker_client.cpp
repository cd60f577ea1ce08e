#include "nodes/parked/broker_client.hpp"

#include "bridge/profiles/rabbitmq4.hpp"
#include "nodes/parked/broker_wait.hpp"

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>

#include <unistd.h>

namespace rookery::nodes {

namespace {

using asio::ip::tcp;
using bridge::unexpected;

/// What an attempt to connect needs for as long as it lasts, which is longer
/// than a wait that gives up.
struct attempt {
  explicit attempt(asio::io_context& io) : socket{io}, resolver{io} {}

  tcp::socket socket;
  tcp::resolver resolver;
  std::optional<asio::error_code> result;
};

amqp::engine_options engine_options_of(const client_options& x,
                                       const bridge::endpoint& where) {
  amqp::engine_options result;
  result.container_id = "client-" + std::to_string(getpid());
  result.hostname = where.host;
  result.user = x.user;
  result.password = x.password;
  // What is parked may be as long as anybody allows, and its broker has added
  // to it; too long a one would close the whole queue to this tool.
  result.message_bytes_max = std::uint64_t{1} << 30;
  return result;
}

} // namespace

broker_client::broker_client(const client_options& options)
    : options_{options} {}

broker_client::~broker_client() {
  if (connection_ && opened_ && !over_ && !late_)
    static_cast<void>(close()); // or the broker takes it for a loss
  if (connection_ && !over_)
    connection_->abort({});
}

fault broker_client::connect() {
  std::string all;
  for (const auto& each : options_.brokers) {
    auto why = connect(each);
    if (!why)
      return std::nullopt;
    all.append(all.empty() ? "" : "; ")
        .append("broker " + to_string(each) + ": " + *why);
  }
  return all;
}

fault broker_client::connect(const bridge::endpoint& where) {
  if (connection_ && !over_)
    connection_->abort({}); // one that did not open; it must not call back
  connection_.reset();
  over_.reset();
  opened_ = false;
  late_ = false;
  if (auto why = dial(where))
    return "the broker cannot be reached (" + *why + ")";
  if (auto why = wait("OPEN", [this] { return opened_; }))
    return over_ ? "the broker did not open the connection (" + over_->text()
                       + ")"
                 : why;
  return std::nullopt;
}

void broker_client::on_open(const amqp::peer_info&) {
  opened_ = true;
  management_ = std::make_unique<amqp::management>(connection_->engine(),
                                                   bridge::rabbitmq4());
  session_ = connection_->engine().open_session();
}

fault broker_client::dial(const bridge::endpoint& where) {
  const auto tried = std::make_shared<attempt>(io_);
  tried->resolver.async_resolve(
      where.host, std::to_string(where.port),
      [tried](asio::error_code error, const auto& found) {
        if (error) {
          tried->result = error;
          return;
        }
        asio::async_connect(tried->socket, found,
                            [tried](asio::error_code refused, const auto&) {
                              tried->result = refused;
                            });
      });
  auto late = wait("connect", [&] { return tried->result.has_value(); });
  if (late) {
    tried->resolver.cancel();
    asio::error_code ignored; // it is being given up
    tried->socket.close(ignored);
    return "no connection in time";
  }
  if (*tried->result)
    return tried->result->message();
  amqp::engine_handler& self = *this; // privately so
  connection_ = std::make_shared<amqp::tcp_connection>(
      std::move(tried->socket), amqp::engine::side::client,
      engine_options_of(options_, where), self);
  connection_->start(options_.timeout);
  return std::nullopt;
}

fault broker_client::close() {
  if (over_)
    return "the connection to the broker ended (" + over_->text() + ")";
  connection_->engine().close();
  if (auto why = wait("close", [this] { return over_.has_value(); }))
    return why;
  if (!over_->empty())
    return "the connection to the broker ended (" + over_->text() + ")";
  return std::nullopt;
}

bridge::expected<std::uint64_t, std::string>
broker_client::ask(const std::string& queue,
                   void (amqp::management::*what)(const std::string&,
                                                  amqp::management::counted)) {
  struct answer {
    int status;
    std::string reason;
    std::uint64_t messages;
  };
  // Shared: an answer may come after the wait for it.
  const auto said = std::make_shared<std::optional<answer>>();
  ((*management_).*what)(
      queue, [said](int status, std::string reason, std::uint64_t messages) {
        *said = answer{status, std::move(reason), messages};
      });
  if (auto why = wait("management", [&] { return said->has_value(); }))
    return unexpected{*why};
  const auto& [status, reason, messages] = **said;
  if (status == 404)
    return unexpected{"there is no queue \"" + queue + "\""};
  if (status < 200 || status > 299)
    return unexpected{"queue \"" + queue + "\": the broker refused (status "
                      + std::to_string(status)
                      + (reason.empty() ? "" : ": " + reason) + ")"};
  return messages;
}

bridge::expected<std::uint64_t, std::string>
broker_client::count(const std::string& queue) {
  return ask(queue, &amqp::management::count_messages);
}

bridge::expected<std::uint64_t, std::string>
broker_client::purge(const std::string& queue) {
  return ask(queue, &amqp::management::purge);
}

void broker_client::ended(const amqp::condition& why) {
  if (!over_)
    over_ = why;
  // Their queue has them again.
  held_.clear();
  source_.self = {};
  for (auto& [queue, each] : targets_)
    each.self = {};
}

} // namespace rookery::nodes
