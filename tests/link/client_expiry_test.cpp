// What a client does with messages whose time to live ends while it has them:
// they are given up, and it says whether they may have arrived. Method: as in
// client_test.
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "tests/link/client_world.hpp"

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using tests::make_queue;
using tests::texts;
using world = tests::client_world;

namespace {

/// One message with a time to live.
void send(world& w, amqp::outgoing_queue& queue, const std::string& body,
          std::chrono::milliseconds ttl) {
  bridge::envelope x;
  x.body = body;
  x.ttl = ttl;
  amqp::outgoing item;
  amqp::encode_message(x, item.bytes);
  item.expires = w.now + ttl;
  const auto size = item.bytes.size();
  REQUIRE(bridge::accepted(queue.push(std::move(item), size, w.now + ttl)));
}

std::string body_of(const std::string& bytes) {
  return amqp::decode_message(bytes)->to_envelope().body;
}

/// What the owner was told to have expired: body, and whether it was sent.
std::vector<std::pair<std::string, bool>> expired(const world& w) {
  std::vector<std::pair<std::string, bool>> result;
  for (const auto& [bytes, sent] : w.owner.expired)
    result.emplace_back(body_of(bytes), sent);
  return result;
}

using told = std::vector<std::pair<std::string, bool>>;

} // namespace

TEST_CASE("client: the wait in the queue is part of the time to live",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  send(w, *queue, "a", 60s);
  w.now += 20s;
  w.connect();
  REQUIRE(w.broker->messages.size() == 1);
  auto x = amqp::decode_message(w.broker->messages[0].bytes)->to_envelope();
  CHECK(x.body == "a");
  CHECK(x.durable);
  CHECK(x.ttl == 40s);
}

TEST_CASE("client: what expires while there is no connection was never sent",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  send(w, *queue, "a", 1s);
  send(w, *queue, "b", 10s);
  send(w, *queue, "c", 1s);
  w.client.expire(w.now + 999ms);
  CHECK(expired(w).empty());
  w.now += 1s;
  w.client.expire(w.now);
  CHECK(expired(w) == told{{"a", false}, {"c", false}});
  w.connect();
  REQUIRE(w.broker->messages.size() == 1);
  CHECK(body_of(w.broker->messages[0].bytes) == "b");
}

TEST_CASE("client: what was sent is given up while there is no connection",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  send(w, *queue, "a", 1s);
  send(w, *queue, "b", 10s);
  w.run();
  REQUIRE(w.broker->messages.size() == 2);
  w.cut();
  w.now += 1s;
  w.client.expire(w.now);
  CHECK(expired(w) == told{{"a", true}});
  w.connect();
  w.run();
  REQUIRE(w.broker->messages.size() == 1);
  CHECK(body_of(w.broker->messages[0].bytes) == "b");
}

TEST_CASE("client: what was sent is not given up while its outcome may come",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  send(w, *queue, "a", 1h);
  send(w, *queue, "b", 1s);
  w.run();
  REQUIRE(w.broker->messages.size() == 2);
  w.now += 1min;
  w.client.expire(w.now);
  CHECK(expired(w).empty());
}

TEST_CASE("client: what expires without credit is not sent when credit comes",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->credit = 0;
  w.connect();
  send(w, *queue, "a", 1s);
  w.run();
  REQUIRE(w.broker->publishers.contains("/queues/out"));
  w.now += 1s;
  w.broker->publishers.at("/queues/out").add_credit(1);
  w.run();
  CHECK(texts(*w.broker).empty());
  CHECK(expired(w) == told{{"a", false}});
}

TEST_CASE("client: what was sent and expires without an outcome is not resent",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  send(w, *queue, "a", 1min);
  send(w, *queue, "b", 1h);
  w.run();
  REQUIRE(w.broker->messages.size() == 2);
  w.cut();
  w.now += 1min;
  w.connect();
  CHECK(expired(w) == told{{"a", true}});
  REQUIRE(w.broker->messages.size() == 1);
  auto again = amqp::decode_message(w.broker->messages[0].bytes)->to_envelope();
  CHECK(again.body == "b");
  CHECK(again.ttl == 59min);
}

TEST_CASE("client: what was sent is given up while it waits for credit again",
          "[link][client]") {
  world w;
  auto queue = make_queue();
  static_cast<void>(w.client.add_sender(address::queue("out"), queue));
  w.broker.emplace();
  w.broker->accept = false;
  w.connect();
  send(w, *queue, "a", 1h);
  send(w, *queue, "b", 1min);
  send(w, *queue, "c", 1h);
  w.run();
  REQUIRE(w.broker->messages.size() == 3);
  w.cut();
  w.broker.emplace();
  w.broker->credit = 1;
  w.connect();
  REQUIRE(w.broker->messages.size() == 1);
  w.now += 1min;
  w.client.expire(w.now);
  CHECK(expired(w) == told{{"b", true}});
  w.broker->publishers.at("/queues/out").add_credit(2);
  w.run();
  REQUIRE(w.broker->messages.size() == 2);
  CHECK(body_of(w.broker->messages[1].bytes) == "c");
  CHECK(w.client.unfinished_sends() == 0);
}
