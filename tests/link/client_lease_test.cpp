// A client whose process was stopped, or whose line was dead, for longer than
// the broker waits: what comes then is stale. Method: the client on a real
// AMQP engine over pipes in memory, in virtual time, a script as the broker.
// The engine's own idle timeout is off, so that none but the client notices.
#include "bridge/amqp/client.hpp"
#include "bridge/profiles/rabbitmq4.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/memory_wire.hpp"
#include "tests/support/scripted_broker.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::outcome;

namespace {

constexpr auto lease = 4s;
const std::string source = "/queues/in";

struct recorder final : amqp::client_handler {
  std::vector<amqp::condition> downs;
  std::vector<std::uint64_t> deliveries;
  int outcomes = 0;

  void on_up(const amqp::peer_info&) override {}
  void on_down(const amqp::condition& why) override { downs.push_back(why); }
  void on_refused(const std::string&, const std::string&) override {}
  void on_message(std::size_t, std::uint64_t delivery, std::string&,
                  std::chrono::steady_clock::time_point) override {
    deliveries.push_back(delivery);
  }
  void on_outcome(std::size_t, amqp::outgoing&&, const outcome&) override {
    ++outcomes;
  }
  void on_expired(std::size_t, amqp::outgoing&&, bool) override {}
};

struct world {
  world() {
    amqp::client_options options;
    options.profile = &bridge::rabbitmq4();
    options.name = "test";
    options.idle_timeout = lease;
    options.now = [this] {
      return wire ? wire->now() : tests::memory_wire::clock::time_point{};
    };
    client.emplace(options, owner);
    client->declare(bridge::queue_declaration{.name = "in"});
    static_cast<void>(client->add_receiver("in", 10, {}));
    static_cast<void>(client->add_sender(address::queue("out"), queue));
    connect();
  }

  /// `patience`: when the broker gives up a silent client; 0 = never.
  void connect(std::chrono::milliseconds patience = 0s) {
    wire.reset();
    broker.emplace();
    broker->accept = false;
    wire.emplace(
        amqp::engine_options{.container_id = "client", .idle_timeout = 0s},
        *client,
        amqp::engine_options{.container_id = "broker",
                             .idle_timeout = patience},
        *broker);
    client->connect(wire->client());
    run();
  }
  void run() {
    wire->pump();
    client->flush(wire->now());
    wire->pump();
  }
  /// Time passes and nothing is carried, as while the process is stopped.
  void freeze(amqp::client::clock::duration time) {
    wire->stall(true);
    wire->advance(time);
    wire->stall(false);
  }
  void send(const std::string& text) {
    REQUIRE(bridge::accepted(queue->push({text, 0, false}, text.size())));
  }
  [[nodiscard]] bool lapsed() const {
    return owner.downs.size() == 1
           && owner.downs.front().name == "rookery:lease-lapsed";
  }

  recorder owner;
  std::shared_ptr<amqp::outgoing_queue> queue =
      std::make_shared<amqp::outgoing_queue>(bridge::send_queue_limits{});
  std::optional<amqp::client> client;
  std::optional<tests::scripted_broker> broker;
  std::optional<tests::memory_wire> wire;
};

} // namespace

TEST_CASE("lease: nothing that waited for a stopped process reaches its owner",
          "[link][client]") {
  world w;
  w.send("before");
  w.run();
  REQUIRE(w.broker->messages.size() == 1);
  for (int i = 0; i < 5; ++i)
    w.broker->deliver(source, "stale");
  w.broker->messages.front().handle.settle(outcome::accepted());
  w.freeze(lease + 1ms);
  w.wire->pump();
  CHECK(w.owner.deliveries.empty());
  CHECK(w.owner.outcomes == 0);
  REQUIRE(w.lapsed());
  CHECK(w.owner.downs.front().description == "nothing heard for 4001 ms");
  CHECK(w.broker->outcomes.empty());
}

TEST_CASE("lease: what came in time is handled", "[link][client]") {
  world w;
  w.broker->deliver(source, "late");
  w.freeze(lease);
  w.wire->pump();
  CHECK(w.owner.deliveries.size() == 1);
  CHECK(w.owner.downs.empty());
  // Hearing of the broker is what counts, not only its messages.
  CHECK(w.client->lease_end() == w.wire->now() + lease);
}

TEST_CASE("lease: a woken process settles nothing", "[link][client]") {
  world w;
  w.broker->deliver(source, "in work");
  w.run();
  REQUIRE(w.owner.deliveries.size() == 1);
  w.freeze(lease + 1ms);
  w.client->settle(w.owner.deliveries.front(), outcome::accepted());
  CHECK(w.client->unfinished_deliveries() == 0);
  w.wire->pump();
  CHECK(w.broker->outcomes.empty());
  CHECK(w.lapsed());
}

TEST_CASE("lease: a woken process sends nothing, and all of it afterwards",
          "[link][client]") {
  world w;
  w.send("first");
  w.run();
  REQUIRE(w.broker->messages.size() == 1);
  w.freeze(lease + 1ms);
  w.send("second");
  w.run();
  CHECK(w.broker->messages.size() == 1);
  CHECK(w.lapsed());
  w.connect();
  REQUIRE(w.broker->messages.size() == 2);
  CHECK(w.broker->messages.front().bytes == "first");
}

TEST_CASE("lease: none is held before the broker opened and after the end",
          "[link][client]") {
  world w;
  CHECK(w.client->lease_end());
  w.freeze(lease + 1ms);
  w.run();
  CHECK_FALSE(w.client->lease_end());
  w.connect();
  CHECK(w.client->lease_end() == w.wire->now() + lease);
  CHECK(w.owner.downs.size() == 1);
}

TEST_CASE("lease: ends before the broker may give up the client",
          "[link][client]") {
  world w;
  w.connect(4s);
  CHECK(w.client->lease_end() == w.wire->now() + 3s);
  w.connect(6s);
  CHECK(w.client->lease_end() == w.wire->now() + lease);
}

TEST_CASE("lease: a broker that is too impatient for it is refused",
          "[link][client]") {
  world w;
  w.connect(1990ms);
  REQUIRE_FALSE(w.owner.downs.empty());
  CHECK(w.owner.downs.back().name == "rookery:idle-timeout-too-long");
  CHECK(w.owner.downs.back().description
        == "4000 ms, with a broker that gives up a silent client after 1990 "
           "ms; at most 3978");
  CHECK_FALSE(w.client->lease_end());
  CHECK(w.broker->consumers.empty());
}

TEST_CASE("lease: an idle link whose peer keeps it alive never lapses",
          "[link][client]") {
  world w;
  // The peers' idle timeouts, as a node and a broker have them.
  w.wire.reset();
  w.broker.emplace();
  w.wire.emplace(
      amqp::engine_options{.container_id = "client", .idle_timeout = lease},
      *w.client,
      amqp::engine_options{.container_id = "broker", .idle_timeout = 10s},
      *w.broker);
  w.owner.downs.clear();
  w.client->connect(w.wire->client());
  w.run();
  for (int i = 0; i < 600; ++i) {
    w.wire->advance(100ms);
    w.client->flush(w.wire->now());
    REQUIRE(w.client->lease_end());
    // A broker keeps twice the pace it must; so a stall of half costs nothing.
    CHECK(*w.client->lease_end() - w.wire->now() >= lease / 2);
  }
  CHECK(w.owner.downs.empty());
}
