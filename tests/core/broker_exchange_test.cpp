// Goal: a published message reaches exactly the queues its exchange and key
// lead to, and the publisher learns what became of it.
// Method: small topologies; the ready counts tell who got what.
#include "tests/core/broker_shell.hpp"

namespace rookery::broker::tests {

namespace {

/// A direct exchange `d`, a fanout `f` and the queues `p`, `q`.
struct topology : broker_shell {
  topology() {
    REQUIRE(host.declare_exchange("d", exchange_type::direct, true));
    REQUIRE(host.declare_exchange("f", exchange_type::fanout, true));
    declare("p");
    declare("q");
  }

  void bind(std::string_view exchange, std::string_view queue,
            std::string_view key) {
    auto bound = host.bind(exchange, queue, key, 0);
    REQUIRE(bound);
    REQUIRE(bound.value());
  }

  publish_outcome send(std::string_view exchange, std::string_view key) {
    return host.publish(exchange, key, text_message("m")).what;
  }

  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> ready() const {
    return {counts("p").ready, counts("q").ready};
  }
};

using both = std::pair<std::uint64_t, std::uint64_t>;

} // namespace

TEST_CASE("exchange: the default one leads to the queue of that name") {
  topology broker;
  CHECK(broker.send("", "p") == publish_outcome::accepted);
  CHECK(broker.send("", "nope") == publish_outcome::released);
  CHECK(broker.ready() == both{1, 0});
}

TEST_CASE("exchange: a direct one leads where the key is bound") {
  topology broker;
  broker.bind("d", "p", "red");
  broker.bind("d", "q", "red");
  broker.bind("d", "q", "blue");
  CHECK(broker.send("d", "red") == publish_outcome::accepted);
  CHECK(broker.send("d", "blue") == publish_outcome::accepted);
  CHECK(broker.send("d", "green") == publish_outcome::released);
  CHECK(broker.ready() == both{1, 2});
}

TEST_CASE("exchange: a fanout leads to each bound queue once") {
  topology broker;
  CHECK(broker.send("f", "any") == publish_outcome::released);
  broker.bind("f", "p", "");
  broker.bind("f", "q", "one");
  broker.bind("f", "q", "two");
  CHECK(broker.send("f", "any") == publish_outcome::accepted);
  CHECK(broker.ready() == both{1, 1});
  REQUIRE(broker.host.unbind("f", "q", "one", 0));
  CHECK(broker.send("f", "any") == publish_outcome::accepted);
  CHECK(broker.ready() == both{2, 2});
  REQUIRE(broker.host.unbind("f", "q", "two", 0));
  CHECK(broker.send("f", "any") == publish_outcome::accepted);
  CHECK(broker.ready() == both{3, 2});
}

TEST_CASE("exchange: every queue of a fanout shares one message") {
  topology broker;
  broker.bind("f", "p", "");
  broker.bind("f", "q", "");
  const auto message = text_message("m");
  CHECK(broker.host.publish("f", "", message).what
        == publish_outcome::accepted);
  CHECK(message.use_count() == 3);
}

TEST_CASE("exchange: one refusal makes the outcome rejected, others keep it") {
  topology broker;
  const queue_options full{.length_max = 0,
                           .overflow = overflow_policy::reject_publish};
  for (const auto* each : {"full", "full too"}) {
    broker.declare(each, full);
    broker.host.publish("", each, text_message("one too many"));
  }
  broker.bind("f", "p", "");
  broker.bind("f", "full", "");
  broker.bind("f", "q", "");
  broker.bind("f", "full too", "");
  const auto result = broker.host.publish("f", "", text_message("m"));
  CHECK(result.what == publish_outcome::rejected);
  CHECK(result.why == push_outcome::length_reached);
  CHECK(result.refused_by->name() == "full"); // the first
  CHECK(broker.ready() == both{1, 1});
}

TEST_CASE("exchange: binding twice is one binding") {
  topology broker;
  broker.bind("d", "p", "k");
  auto again = broker.host.bind("d", "p", "k", 0);
  REQUIRE(again);
  CHECK_FALSE(again.value());
  CHECK(broker.host.exchanges().binding_count() == 1);
  CHECK(broker.send("d", "k") == publish_outcome::accepted);
  CHECK(broker.ready() == both{1, 0});
  auto gone = broker.host.unbind("d", "p", "k", 0);
  REQUIRE(gone);
  CHECK(gone.value());
  gone = broker.host.unbind("d", "p", "k", 0);
  REQUIRE(gone);
  CHECK_FALSE(gone.value());
  CHECK(broker.send("d", "k") == publish_outcome::released);
}

TEST_CASE("exchange: a route follows every change of the topology") {
  topology broker;
  route to{"d", "k"};
  const auto send = [&] {
    return broker.host.publish(to, text_message("m")).what;
  };
  CHECK(send() == publish_outcome::released);
  broker.bind("d", "p", "k");
  CHECK(send() == publish_outcome::accepted);
  broker.bind("d", "q", "k");
  CHECK(send() == publish_outcome::accepted);
  CHECK(broker.ready() == both{2, 1});
  REQUIRE(broker.host.delete_queue("q", 0));
  CHECK(send() == publish_outcome::accepted);
  REQUIRE(broker.host.unbind("d", "p", "k", 0));
  CHECK(send() == publish_outcome::released);
  REQUIRE(broker.host.delete_exchange("d"));
  CHECK(send() == publish_outcome::no_exchange);
  REQUIRE(broker.host.declare_exchange("d", exchange_type::direct, true));
  CHECK(send() == publish_outcome::released);
}

TEST_CASE("exchange: a route to a queue finds the one declared anew") {
  topology broker;
  route to{"", "p"};
  CHECK(broker.host.publish(to, text_message("m")).what
        == publish_outcome::accepted);
  REQUIRE(broker.host.delete_queue("p", 0));
  CHECK(broker.host.publish(to, text_message("m")).what
        == publish_outcome::released);
  broker.declare("p");
  CHECK(broker.host.publish(to, text_message("m")).what
        == publish_outcome::accepted);
  CHECK(broker.ready() == both{1, 0});
}

TEST_CASE("exchange: a deleted one takes its bindings along") {
  topology broker;
  broker.bind("d", "p", "a");
  broker.bind("d", "q", "b");
  auto deleted = broker.host.delete_exchange("d");
  REQUIRE(deleted);
  CHECK(deleted.value());
  CHECK(broker.host.exchanges().binding_count() == 0);
  CHECK(broker.send("d", "a") == publish_outcome::no_exchange);
  REQUIRE(broker.host.delete_queue("p", 0)); // has no binding left to remove
  deleted = broker.host.delete_exchange("d");
  REQUIRE(deleted);
  CHECK_FALSE(deleted.value());
}

TEST_CASE("exchange: a deleted queue is bound nowhere") {
  topology broker;
  broker.bind("d", "p", "a");
  broker.bind("d", "q", "a");
  broker.bind("f", "p", "");
  REQUIRE(broker.host.delete_queue("p", 0));
  CHECK(broker.host.exchanges().binding_count() == 1);
  CHECK(broker.send("f", "") == publish_outcome::released);
  CHECK(broker.send("d", "a") == publish_outcome::accepted);
}

TEST_CASE(
    "exchange: a fanout leads to a queue until its last binding is gone") {
  topology broker;
  broker.bind("f", "p", "a");
  broker.bind("f", "p", "b");
  broker.bind("f", "q", "b");
  REQUIRE(broker.host.unbind("f", "p", "a", 0));
  CHECK(broker.send("f", "") == publish_outcome::accepted);
  CHECK(broker.ready() == both{1, 1});
  REQUIRE(broker.host.unbind("f", "p", "b", 0));
  CHECK(broker.send("f", "") == publish_outcome::accepted);
  CHECK(broker.ready() == both{1, 2});
}

TEST_CASE("exchange: declaring it again must agree") {
  topology broker;
  auto again = broker.host.declare_exchange("d", exchange_type::direct, true);
  REQUIRE(again);
  CHECK_FALSE(again.value());
  auto other = broker.host.declare_exchange("d", exchange_type::fanout, true);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == errc::precondition_failed);
  CHECK(other.error().text == "exchange 'd' exists with another type");
  other = broker.host.declare_exchange("d", exchange_type::direct, false);
  REQUIRE_FALSE(other);
  CHECK(other.error().text == "exchange 'd' exists with another durable");
}

TEST_CASE("exchange: the broker's own are there and stay") {
  topology broker;
  broker.bind("amq.fanout", "p", "");
  CHECK(broker.send("amq.fanout", "k") == publish_outcome::accepted);
  CHECK(
      broker.host.declare_exchange("amq.direct", exchange_type::direct, true));
  auto refused = broker.host.delete_exchange("amq.direct");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::access_refused);
  refused =
      broker.host.declare_exchange("amq.mine", exchange_type::direct, true);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::access_refused);
  refused = broker.host.bind("", "p", "p", 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::access_refused);
}

TEST_CASE("exchange: binding needs both ends") {
  topology broker;
  auto refused = broker.host.bind("nope", "p", "k", 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::not_found);
  CHECK(refused.error().text == "exchange 'nope' does not exist");
  refused = broker.host.bind("d", "nope", "k", 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text == "queue 'nope' does not exist");
}

TEST_CASE("exchange: exchanges and bindings have limits") {
  broker_shell shell{{.exchanges_max = 4, .bindings_max = 2}};
  shell.declare("q");
  REQUIRE(shell.host.declare_exchange("d", exchange_type::direct, true));
  auto refused = shell.host.declare_exchange("e", exchange_type::direct, true);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::resource_limit_exceeded);
  REQUIRE(shell.host.bind("d", "q", "a", 0));
  REQUIRE(shell.host.bind("d", "q", "b", 0));
  refused = shell.host.bind("d", "q", "c", 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::resource_limit_exceeded);
  refused = shell.host.bind("d", "q", std::string(256, 'k'), 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::not_allowed);
}

} // namespace rookery::broker::tests
