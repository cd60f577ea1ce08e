#pragma once

#include "bridge/bridge.hpp"
#include "bridge/system_config.hpp"
#include "broker/server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/raw_frame.hpp"
#include "tests/support/raw_manners.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <caf/all.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <utility>

namespace rookery::tests {

constexpr std::uint64_t message_bytes_max = 1024 * 1024;
#ifdef __SANITIZE_ADDRESS__ // which surrounds each allocation
constexpr std::uint64_t growth_max_kib = 192 * 1024;
#elif defined __SANITIZE_THREAD__ // which shadows it several times
constexpr std::uint64_t growth_max_kib = 384 * 1024;
#else
constexpr std::uint64_t growth_max_kib = 64 * 1024;
#endif

/// Of every wait.
constexpr std::chrono::seconds patience{20};

/// What was told, by any thread.
class journal final : public broker::event_sink, public bridge::observer {
public:
  /// Whether something with `part` in it is told in time; what was told until
  /// then is forgotten.
  bool tells(const std::string& part) {
    std::unique_lock guard{mutex_};
    auto at = text_.npos;
    if (!changed_.wait_for(guard, patience, [&] {
          at = text_.find(part);
          return at != text_.npos;
        }))
      return false;
    text_.erase(0, at + part.size());
    return true;
  }
  std::string text() {
    std::lock_guard guard{mutex_};
    return text_;
  }
  void connection_closed(std::uint64_t, std::string_view x) noexcept override {
    add(x);
  }
  void connection_refused(std::string_view x) noexcept override { add(x); }
  void session_ended(std::uint64_t, std::string_view,
                     std::string_view x) noexcept override {
    add(x);
  }
  void message_refused(std::uint64_t, std::string_view,
                       std::string_view x) noexcept override {
    add(x);
  }
  void on_event(severity, std::string_view name,
                std::string_view x) noexcept override {
    add(name);
    add(x);
  }

private:
  void add(std::string_view x) {
    std::lock_guard guard{mutex_};
    text_.append(x) += '\n';
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
};

/// The embedded broker with short limits, in a thread of its own.
struct small_broker {
  explicit small_broker(broker::server_options options = {}) {
    options.port = 0;
    options.open_timeout = std::chrono::milliseconds{500};
    options.idle_timeout = std::chrono::seconds{2};
    options.broker.message_bytes_max = message_bytes_max;
    auto made = broker::server::start(io, options, told);
    REQUIRE(made);
    server = std::move(*made);
    thread = std::thread{[this] { io.run(); }};
  }
  ~small_broker() {
    io.stop();
    thread.join();
  }
  journal told;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{
      io.get_executor()};
  std::unique_ptr<broker::server> server;
  std::thread thread;
};

/// A socket that waits, for twenty seconds at most, and knows no AMQP.
class raw_peer {
public:
  explicit raw_peer(asio::ip::tcp::socket socket) : socket_{std::move(socket)} {
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    for (int each : {SO_RCVTIMEO, SO_SNDTIMEO})
      setsockopt(socket_.native_handle(), SOL_SOCKET, each, &limit,
                 sizeof limit);
  }
  /// False when the other end is gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(socket_.native_handle(), bytes.data(), bytes.size(),
                            MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  /// Reads until `part` came; returns what stands behind it.
  std::optional<std::string> read_to(std::string_view part) {
    for (;;) {
      if (const auto at = seen_.find(part); at != seen_.npos)
        return seen_.substr(at + part.size());
      if (read() <= 0)
        return std::nullopt;
    }
  }
  /// Plays a broker that agrees to everything until `done`; false when the
  /// node is gone before.
  template <class F>
  bool agree(raw_manners& how, F done) {
    while (!done()) {
      if (read() <= 0)
        return false;
      send(how.answers_to(seen_));
    }
    return true;
  }
  /// Sends one byte after the other, with a short wait for the end in between;
  /// whether it came before all were sent.
  bool trickle(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(1)) {
      pollfd one{.fd = socket_.native_handle(), .events = POLLIN, .revents = 0};
      if (!send(bytes.substr(0, 1)) || (::poll(&one, 1, 50) > 0 && read() <= 0))
        return true;
    }
    return false;
  }
  /// Whether the other end closes; a reset is an end too.
  bool sees_end() {
    ssize_t n = 1;
    while (n > 0)
      n = read();
    return n == 0 || errno != EAGAIN;
  }

private:
  ssize_t read() {
    char room[4096];
    const auto n = ::recv(socket_.native_handle(), room, sizeof room, 0);
    if (n > 0 && seen_.size() < 1 << 20)
      seen_.append(room, static_cast<std::size_t>(n));
    return n;
  }
  asio::ip::tcp::socket socket_;
  std::string seen_;
};

/// Two nodes and what crosses between them.
class couple {
public:
  explicit couple(std::uint16_t port) : server_{port}, client_{port} {
    server_.link->serve(bridge::address::queue("target"),
                        server_.system.spawn([]() -> caf::behavior {
                          return {[](const service::v1::PostTweetRequest& x) {
                            service::v1::PostTweetReply result;
                            result.set_tweet_id(x.author() + 1);
                            return result;
                          }};
                        }));
    REQUIRE_FALSE(server_.link->wait_until_up(patience));
  }
  /// What the node was told that serves.
  [[nodiscard]] journal& told() { return *server_.told; }
  bool works() {
    service::v1::PostTweetRequest what;
    what.set_author(41);
    bool good = false;
    caf::scoped_actor self{client_.system};
    self->request(client_.link->proxy(bridge::address::queue("target")),
                  patience, what)
        .receive(
            [&](service::v1::PostTweetReply& x) { good = x.tweet_id() == 42; },
            [&](caf::error&) {});
    // None of the two had to come back.
    return good && client_.link->counters().reconnects == 0
           && server_.link->counters().reconnects == 0;
  }

private:
  struct node {
    explicit node(std::uint16_t port) {
      bridge::type_registry types;
      types.add<service::v1::PostTweetRequest>()
          .add<service::v1::PostTweetReply>();
      bridge::bridge_options options;
      options.brokers = {{"127.0.0.1", port}};
      options.idle_timeout =
          std::chrono::seconds{2}; // as impatient as that broker
      link.emplace(system, types, options, told);
    }
    ~node() { link->stop(std::chrono::seconds{2}); }
    const std::shared_ptr<journal> told = std::make_shared<journal>();
    bridge::system_config config;
    caf::actor_system system{config};
    std::optional<bridge::bridge> link;
  };
  node server_;
  node client_;
};

/// Most memory the process ever had, KiB.
inline std::uint64_t memory_peak_kib() {
  std::ifstream file{"/proc/self/status"};
  for (std::string word; file >> word;)
    if (std::uint64_t x = 0; word == "VmHWM:" && file >> x)
      return x;
  return 0;
}

inline raw_peer connect(std::uint16_t port) {
  static asio::io_context io;
  asio::ip::tcp::socket socket{io};
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  return raw_peer{std::move(socket)};
}

/// A client of the broker with a queue and a link to it; nothing if the broker
/// did not agree.
inline std::optional<raw_peer> attached_client(std::uint16_t port) {
  auto peer = connect(port);
  peer.send(sasl_header + sasl_frame(0x41, 1, hex("a3 09 'ANONYMOUS'"))
            + amqp_header + raw_open() + raw_begin()
            + raw_attach(0, 0, "/queues/target"));
  // The broker gives credit to who may send.
  if (!peer.read_to(hex("00 53 13")))
    return std::nullopt;
  return peer;
}

/// The broker of one node, which attaches a receiver; then it is the script's.
class raw_broker {
public:
  raw_broker() : acceptor_{io_, {asio::ip::make_address("127.0.0.1"), 0}} {
    bridge::type_registry types;
    types.add<service::v1::PostTweetRequest>();
    bridge::bridge_options options;
    options.brokers = {{"127.0.0.1", acceptor_.local_endpoint().port()}};
    options.open_timeout = std::chrono::milliseconds{500};
    options.idle_timeout = std::chrono::seconds{2};
    options.message_bytes_max = message_bytes_max;
    options.reconnect.delay_min = std::chrono::milliseconds{1};
    options.reconnect.first = std::chrono::milliseconds{1};
    options.reconnect.delay_max = std::chrono::milliseconds{20};
    node_.emplace(system_, types, options, told);
    bridge::serve_options exists;
    exists.queue = std::nullopt;
    node_->serve(bridge::address::queue("q"),
                 system_.spawn([]() -> caf::behavior {
                   return {[](const service::v1::PostTweetRequest&) {}};
                 }),
                 exists);
  }
  ~raw_broker() { node_->stop(std::chrono::milliseconds{100}); }

  raw_peer accept() { return raw_peer{acceptor_.accept()}; }
  /// As far as OPEN.
  static void open(raw_peer& peer) {
    peer.send(sasl_header + sasl_frame(0x40, 1, hex("a3 09 'ANONYMOUS'")));
    REQUIRE(peer.read_to(hex("00 53 41")));
    peer.send(sasl_frame(0x44, 1, hex("50 00")) + amqp_header + raw_open());
  }
  /// As far as the node's receiver, which gets handle 0.
  static void attach(raw_peer& peer) {
    open(peer);
    const auto said = peer.read_to(hex("00 53 12"));
    REQUIRE(said);
    const auto name_at = said->at(0) == '\xc0' ? 3U : 9U;
    const auto name = said->substr(
        name_at, 2 + static_cast<std::size_t>(said->at(name_at + 1)));
    peer.send(raw_frame(performative(0x11, 4, hex("60 00 00 43 52 64 52 64")))
              + raw_frame(performative(
                  0x12, 7,
                  name
                      + hex("43 42 40 40 00 53 28 c0 04 01 a1 01 's' "
                            "00 53 29 c0 04 01 a1 01 't'"))));
  }

  const std::shared_ptr<journal> told = std::make_shared<journal>();

private:
  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  bridge::system_config config_;
  caf::actor_system system_{config_};
  std::optional<bridge::bridge> node_;
};

} // namespace rookery::tests
