// A connection that breaks at the worst moment, or a broker that dies. Goal:
// what a node sends again is handled once. Method: two nodes and a broker over
// real sockets, one of them behind a relay that loses what the broker says,
// then breaks; or a second broker to go to.
#include "bridge/bridge.hpp"
#include "bridge/system_config.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/loopback_broker.hpp"
#include "tests/support/tcp_relay.hpp"

#include "rookery/service/v1/log.pb.h"

#include <caf/all.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using service::v1::LogHead;

namespace {

const auto queue = address::queue("target");

struct node {
  node(const std::string& name, std::uint16_t port)
      : node{name, std::vector{port}} {}
  node(const std::string& name, const std::vector<std::uint16_t>& ports) {
    bridge::type_registry types;
    types.add<LogHead>();
    bridge::bridge_options options;
    options.node_name = name;
    options.brokers.clear();
    for (auto port : ports)
      options.brokers.push_back({"127.0.0.1", port});
    options.reconnect.delay_max = 200ms;
    link.emplace(system, types, options);
  }
  ~node() { link->stop(2s); }

  bridge::system_config config;
  caf::actor_system system{config};
  std::optional<bridge::bridge> link;
};

/// How often each number was handled.
class tally {
public:
  void add(std::uint64_t x) {
    std::lock_guard guard{mutex_};
    ++times_[x];
  }
  [[nodiscard]] std::map<std::uint64_t, int> times() {
    std::lock_guard guard{mutex_};
    return times_;
  }

private:
  std::mutex mutex_;
  std::map<std::uint64_t, int> times_;
};

template <class F>
bool until(F done) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::yield();
  }
  return true;
}

void send(const caf::actor& to, std::uint64_t from, std::uint64_t count) {
  for (auto i = from; i < from + count; ++i) {
    LogHead head;
    head.set_seq(i);
    caf::anon_send(to, head);
  }
}

} // namespace

TEST_CASE("bridge: what is sent again after a cut is handled once",
          "[live][bridge]") {
  constexpr std::uint64_t count = 500;
  tests::loopback_broker broker;
  tests::tcp_relay relay{broker.port()};
  tally seen;
  node server{"server", broker.port()};
  server.link->serve(queue, server.system.spawn([&seen]() -> caf::behavior {
    return {[&seen](const LogHead& x) { seen.add(x.seq()); }};
  }));
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  node client{"client", relay.port()};
  auto proxy = client.link->proxy(queue);
  send(proxy, 0, 1);
  REQUIRE(until([&] { return client.link->counters().accepted == 1; }));
  relay.mute(); // the outcomes of the rest are lost
  send(proxy, 1, count);
  REQUIRE(until([&] { return seen.times().size() == count + 1; }));
  CHECK(client.link->counters().accepted == 1);
  relay.cut();
  REQUIRE(until([&] { return client.link->counters().accepted == count + 1; }));
  REQUIRE(until([&] { return server.link->counters().duplicates == count; }));
  CHECK(server.link->counters().received == 2 * count + 1);
  for (const auto& [seq, times] : seen.times())
    CHECK(times == 1);
}

TEST_CASE("bridge: brokers are tried in turn, and the next takes over",
          "[live][bridge]") {
  constexpr std::uint64_t count = 100;
  constexpr std::uint16_t nobody = 1; // no broker may listen there
  std::optional<tests::loopback_broker> first{std::in_place};
  tests::loopback_broker second;
  const std::vector ports{nobody, first->port(), second.port()};
  tally seen;
  node server{"server", ports};
  node client{"client", ports};
  server.link->serve(queue, server.system.spawn([&seen]() -> caf::behavior {
    return {[&seen](const LogHead& x) { seen.add(x.seq()); }};
  }));
  // Whoever is there first: what is sent to no queue would be unroutable.
  client.link->declare(bridge::queue_declaration{.name = queue.name()});
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  REQUIRE_FALSE(client.link->wait_until_up(10s));
  auto proxy = client.link->proxy(queue);
  send(proxy, 0, count);
  REQUIRE(until([&] { return seen.times().size() == count; }));
  first.reset();
  send(proxy, count, count);
  REQUIRE(until([&] { return seen.times().size() == 2 * count; }));
  REQUIRE(until([&] { return client.link->counters().accepted == 2 * count; }));
  for (const auto& [seq, times] : seen.times())
    CHECK(times == 1);
  CHECK(client.link->counters().released == 0);
  CHECK(server.link->counters().reconnects == 1);
}

TEST_CASE("bridge: a node that loses its connection alone finds the others",
          "[live][bridge]") {
  tests::loopback_broker first;
  tests::loopback_broker second;
  tests::tcp_relay relay{first.port()};
  tally seen;
  node server{"server", {relay.port(), second.port()}};
  server.link->serve(queue, server.system.spawn([&seen]() -> caf::behavior {
    return {[&seen](const LogHead& x) { seen.add(x.seq()); }};
  }));
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  node client{"client", first.port()};
  auto proxy = client.link->proxy(queue);
  send(proxy, 0, 1);
  REQUIRE(until([&] { return seen.times().size() == 1; }));
  relay.cut();
  REQUIRE(until([&] { return server.link->counters().reconnects == 1; }));
  send(proxy, 1, 1);
  CHECK(until([&] { return seen.times().size() == 2; }));
}

TEST_CASE("bridge: a lease ends with its connection", "[live][bridge]") {
  tests::loopback_broker broker;
  tests::tcp_relay relay{broker.port()};
  node server{"server", relay.port()};
  std::atomic<int> downs = 0;
  server.link->on_down([&downs] { ++downs; });
  auto first = server.link->lease(); // of the connection to come
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  CHECK(first());
  CHECK(server.link->lease_held());
  relay.cut();
  REQUIRE(until([&] { return server.link->counters().reconnects == 1; }));
  CHECK(downs == 1);
  CHECK_FALSE(first());
  CHECK(server.link->lease_held());
  auto second = server.link->lease();
  CHECK(second());
  server.link->stop(2s);
  CHECK(downs == 2);
  CHECK_FALSE(second());
  CHECK_FALSE(server.link->lease_held());
}

TEST_CASE("bridge: a redelivery after a cut joins the handler that runs",
          "[live][bridge]") {
  tests::loopback_broker broker;
  tests::tcp_relay relay{broker.port()};
  tally seen;
  auto promise = std::make_shared<caf::response_promise>();
  node server{"server", relay.port()};
  auto target =
      server.system.spawn([&seen, promise](caf::event_based_actor* self) {
        return caf::behavior{[=, &seen](const LogHead& x) {
          *promise = self->make_response_promise();
          seen.add(x.seq());
          return *promise;
        }};
      });
  server.link->serve(queue, target);
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  node client{"client", broker.port()};
  send(client.link->proxy(queue), 7, 1);
  REQUIRE(until([&] { return !seen.times().empty(); }));
  relay.cut();
  REQUIRE(until([&] { return server.link->counters().duplicates == 1; }));
  promise->deliver(caf::unit);
  // Both are settled: the window is whole and the queue empty.
  REQUIRE(until([&] { return broker.counters().bytes_held == 0; }));
  CHECK(server.link->stop(10s) == 0);
  CHECK(seen.times() == std::map<std::uint64_t, int>{{7, 1}});
  CHECK(server.link->counters().failed == 0);
  *promise = {};
}
