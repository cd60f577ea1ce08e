// Goal: the broker on a socket starts, limits and stops as it says. Method:
// server and clients on loopback, in one thread; waiting is for events, with a
// deadline.

#include "bridge/amqp/tcp_connection.hpp"
#include "broker/server.hpp"
#include "tests/link/broker_harness.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/raw_frame.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <algorithm>

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

struct rig {
  explicit rig(broker::server_options options = {}) {
    options.port = 0;
    auto made = broker::server::start(io, options, sink);
    REQUIRE(made);
    server = std::move(*made);
  }

  tcp::socket socket(asio::io_context& on) {
    tcp::socket result{on};
    result.open(tcp::v4());
    // Small and fixed, so that a client that stops reading is soon felt.
    result.set_option(tcp::socket::receive_buffer_size{64 * 1024});
    result.connect({asio::ip::make_address("127.0.0.1"), server->port()});
    return result;
  }

  /// A client that opens as soon as the loop runs.
  test_client& connect() { return connect(io); }
  test_client& connect(asio::io_context& on) {
    auto& made = clients.emplace_back();
    made.io = std::make_shared<amqp::tcp_connection>(
        socket(on), amqp::engine::side::client,
        amqp::engine_options{.container_id = "client"}, made.self);
    made.self.engine = &made.io->engine();
    made.io->start(5s);
    return made.self;
  }

  /// Runs the loop until `done`, for ten seconds at most.
  template <class F>
  bool until(F done) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!done() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_one_for(100ms);
    }
    return done();
  }

  struct client {
    test_client self;
    std::shared_ptr<amqp::tcp_connection> io;
  };

  asio::io_context io{1};
  recording_sink sink;
  std::list<client> clients;
  std::unique_ptr<broker::server> server;
};

std::string property(const amqp::peer_info& x, std::string_view key) {
  for (const auto& [name, content] : x.properties)
    if (name == key)
      return content;
  return {};
}

} // namespace

TEST_CASE("server: a port that is taken is told with its reason",
          "[broker][server]") {
  rig x;
  broker::server_options options;
  options.port = x.server->port();
  auto second = broker::server::start(x.io, options, x.sink);
  REQUIRE_FALSE(second);
  CHECK(second.error()
        == "cannot listen on 127.0.0.1 port " + std::to_string(x.server->port())
               + ": Address already in use");
  options.address = "no address";
  auto third = broker::server::start(x.io, options, x.sink);
  REQUIRE_FALSE(third);
  CHECK(third.error().starts_with("cannot listen on no address port "));
}

TEST_CASE("server: OPEN tells product, version and incarnation",
          "[broker][server]") {
  rig x;
  auto& client = x.connect();
  REQUIRE(x.until([&] { return client.peer.has_value(); }));
  CHECK(property(*client.peer, "product") == "rookery");
  CHECK_FALSE(property(*client.peer, "version").empty());
  CHECK(property(*client.peer, "volatile") == "true");
  CHECK(property(*client.peer, "incarnation") == x.server->incarnation());
  CHECK(x.server->incarnation().size() == 16);
  const auto& offered = client.peer->offered_capabilities;
  CHECK(std::count(offered.begin(), offered.end(), "LINK_PAIR_V1_0") == 1);
  CHECK(std::count(offered.begin(), offered.end(), "ANONYMOUS-RELAY") == 1);
}

TEST_CASE("server: messages cross between two sockets", "[broker][server]") {
  rig x;
  auto& publisher = x.connect();
  auto& consumer = x.connect();
  REQUIRE(x.until([&] { return publisher.peer && consumer.peer; }));
  auto& out = publisher.sender("q");
  auto& in = consumer.receiver("q", 100);
  for (auto& each : x.clients)
    each.io->pump();
  REQUIRE(x.until([&] { return out.self.credit() > 0; }));
  texts all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(std::to_string(i));
    out.send_text(all.back());
  }
  x.clients.front().io->pump();
  REQUIRE(x.until([&] { return in.deliveries.size() == 100; }));
  CHECK(in.bodies() == all);
  const auto counters = x.server->counters();
  CHECK(counters.connections == 2);
  CHECK(counters.queues == 1);
  CHECK(counters.messages_in == 100);
  CHECK(counters.messages_out == 100);
}

TEST_CASE("server: one connection too many is told so", "[broker][server]") {
  broker::server_options options;
  options.connections_max = 1;
  rig x{options};
  auto& first = x.connect();
  REQUIRE(x.until([&] { return first.peer.has_value(); }));
  auto& second = x.connect();
  REQUIRE(x.until([&] { return second.closed.has_value(); }));
  CHECK(second.closed->name == "amqp:resource-limit-exceeded");
  CHECK(second.closed->description == "this broker takes 1 connections");
  CHECK_FALSE(first.closed);
}

TEST_CASE("server: a client that says nothing is cut off", "[broker][server]") {
  broker::server_options options;
  options.open_timeout = 50ms;
  rig x{options};
  auto silent = x.socket(x.io);
  char byte = 0;
  bool ended = false;
  asio::async_read(silent, asio::buffer(&byte, 1),
                   [&](asio::error_code failed, std::size_t) {
                     ended = failed == asio::error::eof
                             || failed == asio::error::connection_reset;
                   });
  CHECK(x.until([&] { return ended; }));
  CHECK(x.until([&] { return x.server->counters().connections == 0; }));
}

TEST_CASE("server: a stopped client with a full socket is cut off in time",
          "[broker][server]") {
  broker::server_options options;
  options.idle_timeout = 500ms;
  asio::io_context stopped{1}; // runs while we let it
  rig x{options};
  auto& client = x.connect(stopped);
  const auto both = [&](auto done) {
    return x.until([&] {
      stopped.restart();
      stopped.poll();
      return done();
    });
  };
  REQUIRE(both([&] { return client.peer.has_value(); }));
  auto& out = client.sender("q");
  auto& in = client.receiver("q");
  x.clients.front().io->pump();
  REQUIRE(both([&] { return out.self.credit() > 0; }));
  for (std::size_t sent = 0; sent < 500;) {
    // A few at a time, so that no step lasts as long as the idle timeout.
    for (int i = 0; i < 20; ++i, ++sent)
      out.send_text(std::string(50'000, 'x'));
    x.clients.front().io->pump();
    REQUIRE(both([&] { return out.outcomes.size() == sent; }));
  }
  in.self.add_credit(500);
  x.clients.front().io->pump();
  REQUIRE(both([&] { return x.server->counters().messages_out > 0; }));
  // From here on nobody reads, and the broker has more to write than fits.
  const auto from = std::chrono::steady_clock::now();
  REQUIRE(x.until([&] { return x.server->counters().connections == 0; }));
  CHECK(std::chrono::steady_clock::now() - from < 3s);
  CHECK(x.server->counters().messages_out < 500);
  REQUIRE(x.sink.closed.size() == 1);
  CHECK(x.sink.closed[0].find("idle-timeout") != std::string::npos);
}

TEST_CASE("server: stopping closes every connection with a reason",
          "[broker][server]") {
  rig x;
  auto& client = x.connect();
  REQUIRE(x.until([&] { return client.peer.has_value(); }));
  bool stopped = false;
  x.server->stop(5s, [&] { stopped = true; });
  REQUIRE(x.until([&] { return stopped && client.closed; }));
  CHECK(client.closed->name == "amqp:connection:forced");
  CHECK(client.closed->description == "the broker stops");
  tcp::socket late{x.io};
  asio::error_code failed;
  late.connect({asio::ip::make_address("127.0.0.1"), x.server->port()}, failed);
  CHECK(failed == asio::error::connection_refused);
}

TEST_CASE("server: stopping waits no longer than its deadline",
          "[broker][server]") {
  rig x;
  auto silent = x.socket(x.io); // never answers a close
  asio::write(silent, asio::buffer(amqp_header + raw_open()));
  REQUIRE(
      x.until([&] { return x.server->counters().connections_opened == 1; }));
  bool stopped = false;
  const auto from = std::chrono::steady_clock::now();
  x.server->stop(50ms, [&] { stopped = true; });
  REQUIRE(x.until([&] { return stopped; }));
  CHECK(std::chrono::steady_clock::now() - from >= 50ms);
  CHECK(x.server->counters().connections == 0);
}

TEST_CASE("server: stopping does not wait for who never opened a connection",
          "[broker][server]") {
  rig x;
  const auto silent = x.socket(x.io);
  REQUIRE(x.until([&] { return x.server->counters().connections == 1; }));
  bool stopped = false;
  x.server->stop(1h, [&] { stopped = true; });
  CHECK(x.until([&] { return stopped; }));
}

TEST_CASE("server: stopping without clients is done at once",
          "[broker][server]") {
  rig x;
  bool stopped = false;
  x.server->stop(5s, [&] { stopped = true; });
  CHECK_FALSE(stopped);
  CHECK(x.until([&] { return stopped; }));
}
