#pragma once

#include "bridge/amqp/client.hpp"
#include "bridge/profiles/rabbitmq4.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/memory_wire.hpp"
#include "tests/support/scripted_broker.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace rookery::tests {

/// What a client told its owner.
struct client_recorder final : amqp::client_handler {
  int ups = 0;
  std::vector<std::string> downs;
  std::vector<std::string> refusals;
  std::vector<std::string> forbidden; // "WHERE: WHY"
  std::vector<std::string> unserved;  // the same, of queues to consume
  std::vector<std::string> reasons;   // of outcomes of "rejected"
  std::vector<std::pair<std::uint64_t, std::string>> deliveries;
  std::vector<std::pair<std::string, bridge::outcome::kind_type>> outcomes;
  std::vector<std::pair<std::string, bool>> expired; // and whether it was sent

  void on_up(const amqp::peer_info&) override { ++ups; }
  void on_down(const amqp::condition& why) override {
    downs.push_back(why.name);
  }
  void on_refused(const std::string& what, const std::string&) override {
    refusals.push_back(what);
  }
  void on_forbidden(const std::string& where,
                    const amqp::condition& why) override {
    forbidden.push_back(where + ": " + why.text());
  }
  void on_queue_refused(const std::string& queue,
                        const amqp::condition& why) override {
    unserved.push_back(queue + ": " + why.text());
  }
  void on_message(std::size_t, std::uint64_t delivery, std::string& bytes,
                  std::chrono::steady_clock::time_point) override {
    deliveries.emplace_back(delivery, bytes);
  }
  void on_outcome(std::size_t, amqp::outgoing&& what,
                  const bridge::outcome& how) override {
    outcomes.emplace_back(what.bytes, how.kind);
    if (how.kind == bridge::outcome::kind_type::rejected)
      reasons.push_back(how.condition + ": " + how.description);
  }
  void on_expired(std::size_t, amqp::outgoing&& what, bool sent) override {
    expired.emplace_back(what.bytes, sent);
  }
};

/// A client, and one connection after the other to a scripted broker. Time
/// passes when a test says so.
struct client_world {
  explicit client_world(
      amqp::client_sender::limits sending = {},
      const bridge::broker_profile& profile = bridge::rabbitmq4(),
      std::string own_queue = {})
      : client{{&profile,
                "test",
                sending,
                {},
                [this] { return now; },
                std::move(own_queue),
                [this] { return random(); }},
               owner} {}

  amqp::client::clock::time_point now = amqp::client::clock::now(); // stands
  std::mt19937_64 random;
  client_recorder owner;
  amqp::client client;
  std::optional<scripted_broker> broker;
  std::optional<memory_wire> wire;
  memory_wire::settings how = {};

  void connect() {
    wire.reset();
    if (!broker)
      broker.emplace();
    wire.emplace(amqp::engine_options{.container_id = "client"}, client,
                 amqp::engine_options{.container_id = "broker"}, *broker, how);
    client.connect(wire->client());
    run();
  }
  void run() {
    wire->pump();
    client.flush(now);
    wire->pump();
  }
  void cut() {
    wire->cut();
    broker.reset();
  }
  /// Deadlines as they are when `time` has passed.
  void check_after(std::chrono::seconds time) {
    client.check(now + time);
    wire->pump();
  }
};

inline std::shared_ptr<amqp::outgoing_queue> make_queue() {
  return std::make_shared<amqp::outgoing_queue>(bridge::send_queue_limits{});
}

inline void send(amqp::outgoing_queue& queue, const std::string& text) {
  REQUIRE(bridge::accepted(queue.push({text, 0, false}, text.size())));
}

inline std::vector<std::string> texts(const scripted_broker& broker) {
  std::vector<std::string> result;
  for (const auto& x : broker.messages)
    result.push_back(x.bytes);
  return result;
}

inline const std::string source = "/queues/in";

} // namespace rookery::tests
