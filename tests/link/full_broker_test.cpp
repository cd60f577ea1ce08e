// A broker short of memory or disk, as RabbitMQ then is: it takes no transfers
// on any session, whatever credit its links have, and all else goes on. Method:
// as in raw_broker_test.
#include "bridge/amqp/wire/message_encoder.hpp"
#include "tests/link/raw_world.hpp"

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;

namespace {

const std::string shut = hex("43");
const std::string wide = hex("70 00 00 ff ff");

raw_manners full_broker() {
  raw_manners result;
  result.window = shut;
  return result;
}

/// From now on the session of `channel` takes transfers.
std::string take_again(std::uint16_t channel) {
  return raw_frame(
      performative(0x13, 4, hex("43") + wide + hex("43 70 00 00 ff ff")),
      channel);
}

void check_after(raw_world& w, std::chrono::seconds time) {
  for (; time > 0s; time -= 1s) {
    w.now += 1s;
    w.client.flush(w.now);
    w.client.check(w.now);
    w.run();
  }
}

void send_for(raw_world& w, std::chrono::seconds ttl) {
  bridge::envelope x;
  x.ttl = ttl;
  amqp::outgoing item;
  amqp::encode_message(x, item.bytes);
  item.expires = w.now + ttl;
  const auto size = item.bytes.size();
  REQUIRE(bridge::accepted(w.queue->push(std::move(item), size, w.now + ttl)));
}

bool consumes(const raw_world& w) {
  const auto links = w.manners.plain_links();
  return std::any_of(links.begin(), links.end(),
                     [](const auto& x) { return !x.node_sends; });
}

} // namespace

TEST_CASE("client: a session that takes no transfers owes no outcome",
          "[link][client][raw]") {
  raw_world w;
  send(*w.queue, "a");
  w.connect(full_broker());
  check_after(w, 100s);
  CHECK(w.manners.messages == 0);
  CHECK(w.owner.downs.empty());
  w.say(take_again(w.link(true).channel));
  CHECK(w.manners.messages == 1);
  check_after(w, 29s);
  CHECK(w.owner.downs.empty());
  check_after(w, 2s);
  CHECK(w.owner.downs == std::vector<std::string>{"rookery:outcome-timeout"});
}

TEST_CASE("client: what was written before owes its outcome all the same",
          "[link][client][raw]") {
  raw_world w;
  send(*w.queue, "a");
  w.connect();
  REQUIRE(w.manners.messages == 1);
  w.say(raw_frame(
      performative(0x13, 4, hex("52 01") + shut + hex("43 70 00 00 ff ff")),
      w.link(true).channel));
  send(*w.queue, "b");
  check_after(w, 29s);
  CHECK(w.owner.downs.empty());
  check_after(w, 2s);
  CHECK(w.owner.downs == std::vector<std::string>{"rookery:outcome-timeout"});
}

TEST_CASE("client: what comes is handled while nothing can be sent, and what "
          "waits stays in the send queue",
          "[link][client][raw]") {
  raw_world w{100};
  for (int i = 0; i < 64; ++i)
    send(*w.queue, std::string(64 * 1024, 'x'));
  w.connect(full_broker());
  for (char i = 0; i < 60; ++i) {
    w.say(w.deliver(i));
    REQUIRE(w.owner.deliveries.size() == static_cast<std::size_t>(i) + 1);
    w.client.settle(w.owner.deliveries.back().first,
                    bridge::outcome::accepted());
    check_after(w, 1s);
  }
  CHECK(w.manners.settled == 60);
  CHECK(w.manners.messages == 0);
  CHECK(w.queue->bytes()
        >= 64 * 64 * 1024 - amqp::client::output_bytes_max - 2 * 64 * 1024);
}

TEST_CASE("client: with questions unwritten it consumes what it knows of",
          "[link][client][raw]") {
  raw_world w;
  w.client.declare(bridge::queue_declaration{.name = "in"});
  w.connect(full_broker());
  check_after(w, 100s); // who never heard of the queue must wait
  CHECK(w.owner.downs.empty());
  CHECK_FALSE(consumes(w));
  w.say(take_again(w.manners.links.front().channel));
  CHECK(consumes(w));
  CHECK(w.owner.ups == 1);
  w.connect(full_broker());
  CHECK_FALSE(consumes(w));
  check_after(w, 4s);
  CHECK(consumes(w));
  w.say(w.deliver(0));
  CHECK(w.owner.deliveries.size() == 1);
  CHECK(w.owner.ups == 1);
  w.say(take_again(w.manners.links.front().channel));
  CHECK(w.owner.ups == 2);
}

TEST_CASE("client: what expires waits where it can, while nothing can be sent",
          "[link][client][raw]") {
  raw_world w;
  send(*w.queue, "a");
  w.connect(full_broker());
  for (int i = 0; i < 10; ++i)
    send_for(w, 60s);
  check_after(w, 59s);
  w.client.expire(w.now);
  CHECK(w.owner.expired.empty());
  check_after(w, 1s);
  w.client.expire(w.now);
  CHECK(w.owner.expired.size() == 10);
  send_for(w, 60s);
  w.say(take_again(w.link(true).channel));
  CHECK(w.manners.messages == 2);
  CHECK(w.owner.downs.empty());
}
