// Goal: a peer that breaks the protocol, or says nothing, loses its own
// connection for a reason that is told; others go on, the process lives, and
// its memory stays small. Method: peers written down frame by frame, as client
// of the embedded broker and as the broker of a node, all in one process; after
// each case a request crosses on other connections. Waits have deadlines.
#include "bridge/bridge.hpp"
#include "bridge/system_config.hpp"
#include "broker/server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/raw_frame.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <caf/all.hpp>

#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <sys/socket.h>
#include <thread>

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;
using asio::ip::tcp;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;

namespace {

constexpr std::uint64_t message_bytes_max = 64 * 1024;
constexpr std::uint64_t growth_max_kib = 64 * 1024;

/// What was told, by any thread.
class journal final : public broker::event_sink, public bridge::observer {
public:
  /// Whether something with `part` in it is told in time.
  bool tells(const std::string& part) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, 20s,
                             [&] { return text_.find(part) != text_.npos; });
  }
  std::string text() {
    std::lock_guard guard{mutex_};
    return text_;
  }
  void connection_closed(std::uint64_t, std::string_view x) noexcept override {
    add(x);
  }
  void connection_refused(std::string_view x) noexcept override { add(x); }
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
  small_broker() {
    broker::server_options options;
    options.port = 0;
    options.open_timeout = 500ms;
    options.idle_timeout = 2s;
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
  explicit raw_peer(tcp::socket socket) : socket_{std::move(socket)} {
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
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
  tcp::socket socket_;
  std::string seen_;
};

/// Two nodes and what crosses between them.
class couple {
public:
  explicit couple(std::uint16_t port) : server_{port}, client_{port} {
    server_.link->serve(bridge::address::queue("target"),
                        server_.system.spawn([]() -> caf::behavior {
                          return {[](const PostTweetRequest& x) {
                            PostTweetReply result;
                            result.set_tweet_id(x.author() + 1);
                            return result;
                          }};
                        }));
    REQUIRE_FALSE(server_.link->wait_until_up(20s));
  }
  bool works() {
    PostTweetRequest what;
    what.set_author(41);
    bool good = false;
    caf::scoped_actor self{client_.system};
    self->request(client_.link->proxy(bridge::address::queue("target")), 20s,
                  what)
        .receive([&](PostTweetReply& x) { good = x.tweet_id() == 42; },
                 [&](caf::error&) {});
    // None of the two had to come back.
    return good && client_.link->counters().reconnects == 0
           && server_.link->counters().reconnects == 0;
  }

private:
  struct node {
    explicit node(std::uint16_t port) {
      bridge::type_registry types;
      types.add<PostTweetRequest>().add<PostTweetReply>();
      bridge::bridge_options options;
      options.brokers = {{"127.0.0.1", port}};
      options.idle_timeout = 2s; // as impatient as that broker
      link.emplace(system, types, options);
    }
    ~node() { link->stop(2s); }
    bridge::system_config config;
    caf::actor_system system{config};
    std::optional<bridge::bridge> link;
  };
  node server_;
  node client_;
};

/// Most memory the process ever had, KiB.
std::uint64_t memory_peak_kib() {
  std::ifstream file{"/proc/self/status"};
  for (std::string word; file >> word;)
    if (std::uint64_t x = 0; word == "VmHWM:" && file >> x)
      return x;
  return 0;
}

struct misdeed {
  std::string what;
  std::string bytes;
  std::string reason;
};

/// What is wrong on an attached link with handle 0.
std::vector<misdeed> misdeeds() {
  return {
      {"an empty transfer", raw_transfer{.payload = ""}.frame(),
       "amqp:decode-error: a transfer has no payload"},
      {"an aborted transfer",
       raw_transfer{.more = hex("41")}.frame()
           + raw_transfer{.aborted = hex("41"), .payload = ""}.frame(),
       "amqp:not-implemented: a transfer was aborted"},
      {"a transfer without delivery-id",
       raw_transfer{.delivery_id = hex("40"), .more = hex("41")}.frame(),
       "amqp:invalid-field: a delivery has no delivery-id"},
      {"a frame too long", hex("7f ff ff ff 02 00 00 00"),
       "amqp:connection:framing-error: a frame has 2147483647 bytes, the most "
       "is 131072"},
  };
}

raw_peer connect(std::uint16_t port) {
  static asio::io_context io;
  tcp::socket socket{io};
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  return raw_peer{std::move(socket)};
}

/// A client of the broker with a queue and a link to it; nothing if the broker
/// did not agree.
std::optional<raw_peer> attached_client(std::uint16_t port) {
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
    types.add<PostTweetRequest>();
    bridge::bridge_options options;
    options.brokers = {{"127.0.0.1", acceptor_.local_endpoint().port()}};
    options.open_timeout = 500ms;
    options.idle_timeout = 2s;
    options.message_bytes_max = message_bytes_max;
    node_.emplace(system_, types, options, told);
    bridge::serve_options exists;
    exists.queue = std::nullopt;
    node_->serve(bridge::address::queue("q"),
                 system_.spawn([]() -> caf::behavior {
                   return {[](const PostTweetRequest&) {}};
                 }),
                 exists);
  }
  ~raw_broker() { node_->stop(100ms); }

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
  tcp::acceptor acceptor_;
  bridge::system_config config_;
  caf::actor_system system_{config_};
  std::optional<bridge::bridge> node_;
};

} // namespace

TEST_CASE("raw frames: a client that breaks the protocol loses its connection",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  REQUIRE(others.works());
  for (const auto& each : misdeeds()) {
    INFO(each.what);
    auto peer = attached_client(broker.server->port());
    REQUIRE(peer);
    peer->send(each.bytes);
    CHECK(peer->sees_end());
    CHECK(broker.told.tells(each.reason));
    CHECK(others.works());
  }
}

TEST_CASE("raw frames: a message without end does not fill the broker",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  REQUIRE(others.works());
  const auto before = memory_peak_kib();
  auto peer = attached_client(broker.server->port());
  REQUIRE(peer);
  const auto part =
      raw_transfer{.more = hex("41"), .payload = std::string(10'000, 'x')}
          .frame();
  int sent = 0;
  while (sent < 100'000 && peer->send(part))
    ++sent;
  CHECK(sent < 100'000);
  CHECK(peer->sees_end());
  CHECK(broker.told.tells("amqp:link:message-size-exceeded"));
  CHECK(others.works());
  CHECK(memory_peak_kib() - before < growth_max_kib);
}

TEST_CASE("raw frames: a client that says nothing loses its connection",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  SECTION("from the start") {
    auto peer = connect(broker.server->port());
    CHECK(peer.sees_end());
    CHECK(broker.told.tells("the peer did not open the connection in time"));
  }
  SECTION("within SASL") {
    auto peer = connect(broker.server->port());
    peer.send(sasl_header);
    CHECK(peer.sees_end());
    CHECK(broker.told.tells("the peer did not open the connection in time"));
  }
  SECTION("after OPEN") {
    auto peer = attached_client(broker.server->port());
    REQUIRE(peer);
    CHECK(peer->sees_end());
    CHECK(broker.told.tells("local-idle-timeout expired"));
  }
  CHECK(others.works());
}

TEST_CASE("raw frames: a broker that breaks the protocol loses its node",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  for (const auto& each : misdeeds()) {
    INFO(each.what);
    raw_broker bad;
    auto peer = bad.accept();
    raw_broker::attach(peer);
    peer.send(each.bytes);
    CHECK(peer.sees_end());
    CHECK(bad.told->tells(each.reason));
    CHECK(others.works());
  }
}

TEST_CASE("raw frames: a broker's message without end does not fill the node",
          "[live][raw_frames]") {
  raw_broker bad;
  auto peer = bad.accept();
  raw_broker::attach(peer);
  const auto before = memory_peak_kib();
  const auto part =
      raw_transfer{.more = hex("41"), .payload = std::string(10'000, 'x')}
          .frame();
  int sent = 0;
  while (sent < 100'000 && peer.send(part))
    ++sent;
  CHECK(sent < 100'000);
  CHECK(bad.told->tells("amqp:link:message-size-exceeded"));
  CHECK(memory_peak_kib() - before < growth_max_kib);
}

TEST_CASE("raw frames: a broker that says nothing loses its node",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  raw_broker bad;
  auto peer = bad.accept();
  std::string reason = "the peer did not open the connection in time";
  SECTION("from the start") {}
  SECTION("within SASL") { peer.send(sasl_header); }
  SECTION("after OPEN") {
    raw_broker::open(peer);
    reason = "local-idle-timeout expired";
  }
  CHECK(peer.sees_end());
  CHECK(bad.told->tells(reason));
  CHECK(others.works());
}
