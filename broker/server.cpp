#include "broker/server.hpp"

#include "bridge/amqp/tcp_connection.hpp"
#include "broker/connection.hpp"
#include "broker/dispatcher.hpp"

#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <random>
#include <unordered_map>
#include <utility>

namespace rookery::broker {

namespace {

using asio::ip::tcp;

// Clients that are being turned away; beyond them sockets are just closed.
constexpr std::size_t refusals_max = 32;

// How long accepting pauses when the system has no sockets left.
constexpr std::chrono::milliseconds accept_pause{100};

std::string make_incarnation() {
  std::random_device random;
  std::string result;
  for (int i = 0; i < 16; ++i)
    result += "0123456789abcdef"[random() % 16];
  return result;
}

/// Why a server cannot listen, or nothing.
std::string open_listener(tcp::acceptor& acceptor, const std::string& address,
                          std::uint16_t port) {
  asio::error_code failed;
  const auto ip = asio::ip::make_address(address, failed);
  const tcp::endpoint where{ip, port};
  if (!failed)
    acceptor.open(where.protocol(), failed);
  // Ports whose last connections are still timing out may be taken again.
  if (!failed)
    acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
  if (!failed)
    acceptor.bind(where, failed);
  if (!failed)
    acceptor.listen(tcp::acceptor::max_listen_connections, failed);
  if (!failed)
    return {};
  return "cannot listen on " + address + " port " + std::to_string(port) + ": "
         + failed.message();
}

} // namespace

class server::impl : public std::enable_shared_from_this<impl> {
public:
  impl(asio::io_context& io, const server_options& options, event_sink& sink)
      : io_{io},
        options_{options},
        sink_{sink},
        acceptor_{io},
        pause_{io},
        deadline_{io},
        alarm_{io} {}

  /// @returns why not.
  std::string start() {
    auto failed = open_listener(acceptor_, options_.address, options_.port);
    if (!failed.empty())
      return failed;
    port_ = acceptor_.local_endpoint().port();
    shared_ = std::make_unique<dispatcher>(
        options_.broker, sink_, incarnation_,
        [weak = weak_from_this(), this] {
          asio::post(io_, [weak] {
            if (auto self = weak.lock(); self && self->shared_)
              self->shared_->run();
          });
        },
        [this](time_point when) { wake_at(when); });
    accept();
    return {};
  }

  void stop(std::chrono::milliseconds deadline, std::function<void()> done);
  /// Ends everything at once; no handler does anything after it.
  void end();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& incarnation() const { return incarnation_; }
  [[nodiscard]] broker_counters counters() const { return shared_->snapshot(); }

private:
  struct client : output {
    void flush() override { socket->pump(); }
    void hold() override { socket->hold(); }

    std::unique_ptr<connection> handler;
    std::shared_ptr<amqp::tcp_connection> socket;
  };

  void wake_at(time_point when);
  void accept();
  void accepted(tcp::socket socket);
  void gone(connection_id which);
  void finish_stop();
  [[nodiscard]] amqp::engine_options make_engine_options() const;

  asio::io_context& io_;
  server_options options_;
  event_sink& sink_;
  std::string incarnation_ = make_incarnation();
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  asio::steady_timer deadline_; // of stop
  asio::steady_timer alarm_;    // something expires
  std::uint16_t port_ = 0;
  std::unique_ptr<dispatcher> shared_;
  /// After what they refer to.
  std::unordered_map<connection_id, client> clients_;
  connection_id last_id_ = 0;
  bool stopping_ = false;
  std::function<void()> stopped_; // to be called when the last client went
};

amqp::engine_options server::impl::make_engine_options() const {
  amqp::engine_options result;
  result.container_id = "rookery-broker";
  result.frame_bytes_max = options_.frame_bytes_max;
  result.message_bytes_max = options_.broker.message_bytes_max;
  result.sessions_max = options_.sessions_max;
  result.unread_bytes_max = options_.unread_bytes_max;
  result.idle_timeout = options_.idle_timeout;
  result.properties = {{"product", "rookery"},
                       {"version", ROOKERY_VERSION},
                       {"volatile", "true"},
                       {"incarnation", incarnation_}};
  result.offered_capabilities = {"LINK_PAIR_V1_0", "ANONYMOUS-RELAY"};
  return result;
}

void server::impl::wake_at(time_point when) {
  alarm_.cancel();
  if (when == never)
    return;
  alarm_.expires_at(when);
  alarm_.async_wait([weak = weak_from_this()](asio::error_code cancelled) {
    if (auto self = weak.lock(); self && !cancelled && self->shared_)
      self->shared_->wake();
  });
}

void server::impl::accept() {
  acceptor_.async_accept(
      [weak = weak_from_this()](asio::error_code failed, tcp::socket socket) {
        auto self = weak.lock();
        if (!self || self->stopping_)
          return;
        if (!failed) {
          self->accepted(std::move(socket));
          return self->accept();
        }
        self->sink_.connection_refused("cannot accept: " + failed.message());
        // Most likely out of sockets: at once it would fail again, for ever.
        self->pause_.expires_after(accept_pause);
        self->pause_.async_wait([weak](asio::error_code cancelled) {
          if (auto again = weak.lock(); again && !cancelled)
            again->accept();
        });
      });
}

void server::impl::accepted(tcp::socket socket) {
  amqp::condition refusal;
  if (clients_.size() >= options_.connections_max) {
    refusal = {"amqp:resource-limit-exceeded",
               "this broker takes " + std::to_string(options_.connections_max)
                   + " connections"};
    sink_.connection_refused(refusal.description);
    if (clients_.size() >= options_.connections_max + refusals_max)
      return; // closes the socket
  }
  const auto id = ++last_id_;
  auto& fresh = clients_[id];
  fresh.handler =
      std::make_unique<connection>(*shared_, id, fresh, std::move(refusal));
  fresh.handler->on_gone = [this, id] {
    // Not now: its engine is still on the stack.
    asio::post(io_, [weak = weak_from_this(), id] {
      if (auto self = weak.lock())
        self->gone(id);
    });
  };
  fresh.socket = std::make_shared<amqp::tcp_connection>(
      std::move(socket), amqp::engine::side::server, make_engine_options(),
      *fresh.handler);
  fresh.handler->bind(fresh.socket->engine());
  fresh.socket->start(options_.open_timeout);
}

void server::impl::gone(connection_id which) {
  clients_.erase(which);
  if (stopping_ && clients_.empty())
    finish_stop();
}

void server::impl::stop(std::chrono::milliseconds deadline,
                        std::function<void()> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  asio::error_code ignored; // it is closed either way
  acceptor_.close(ignored);
  pause_.cancel();
  if (clients_.empty()) {
    asio::post(io_, [weak = weak_from_this()] {
      if (auto self = weak.lock())
        self->finish_stop();
    });
    return;
  }
  for (auto& [id, each] : clients_)
    each.handler->close({"amqp:connection:forced", "the broker stops"});
  deadline_.expires_after(deadline);
  deadline_.async_wait([weak = weak_from_this()](asio::error_code cancelled) {
    auto self = weak.lock();
    if (!self || cancelled)
      return;
    for (auto& [id, each] : self->clients_)
      each.socket->abort({"amqp:connection:forced", "the broker stops"});
  });
}

void server::impl::finish_stop() {
  deadline_.cancel();
  alarm_.cancel();
  if (auto done = std::exchange(stopped_, nullptr))
    done();
}

void server::impl::end() {
  stopping_ = true;
  stopped_ = nullptr;
  asio::error_code ignored; // it is closed either way
  acceptor_.close(ignored);
  pause_.cancel();
  deadline_.cancel();
  alarm_.cancel();
  for (auto& [id, each] : clients_)
    each.socket->abort({"amqp:connection:forced", "the broker stops"});
  clients_.clear();
}

bridge::expected<std::unique_ptr<server>, std::string>
server::start(asio::io_context& io, const server_options& options,
              event_sink& sink) {
  auto made = std::make_shared<impl>(io, options, sink);
  if (auto failed = made->start(); !failed.empty())
    return bridge::unexpected{std::move(failed)};
  return std::unique_ptr<server>{new server{std::move(made)}};
}

server::server(std::shared_ptr<impl> self) : impl_{std::move(self)} {}

server::~server() { impl_->end(); }

std::uint16_t server::port() const { return impl_->port(); }

const std::string& server::incarnation() const { return impl_->incarnation(); }

broker_counters server::counters() const { return impl_->counters(); }

void server::stop(std::chrono::milliseconds deadline,
                  std::function<void()> done) {
  impl_->stop(deadline, std::move(done));
}

} // namespace rookery::broker
