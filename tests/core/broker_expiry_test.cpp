// Goal: messages and queues that waited too long go at their time, and nothing
// else does.
// Method: a clock that the test moves.
#include "tests/core/broker_shell.hpp"

using namespace std::chrono_literals;

namespace rookery::broker::tests {

namespace {

queue_options with_ttl(std::chrono::milliseconds ttl) {
  queue_options result;
  result.message_ttl = ttl;
  return result;
}

queue_options that_expires(std::chrono::milliseconds span) {
  queue_options result;
  result.expires = span;
  return result;
}

message_ptr short_lived(std::string_view text, std::chrono::milliseconds ttl) {
  auto made = std::make_shared<message>();
  made->bytes = text;
  made->ttl = ttl;
  return made;
}

} // namespace

TEST_CASE("expiry: a message goes when it waited for the queue's ttl") {
  broker_shell broker;
  broker.declare("q", with_ttl(100ms));
  broker.publish_all("q", {"a"});
  broker.pass(60ms);
  broker.publish_all("q", {"b"});
  CHECK(broker.host.next_due() == broker.now + 40ms);
  broker.pass(39ms);
  CHECK(broker.counts("q").ready == 2);
  broker.pass(1ms);
  CHECK(broker.counts("q").ready == 1);
  broker.attach("q", "c", 10);
  CHECK(broker.take() == texts{"c:b"});
  CHECK(broker.host.next_due() == never);
  CHECK(broker.counts("q").expired == 1);
}

TEST_CASE(
    "expiry: what is late is not delivered, also before the clock rings") {
  broker_shell broker;
  broker.declare("q", with_ttl(100ms));
  broker.publish_all("q", {"a"});
  broker.now += 100ms;
  broker.attach("q", "c", 10);
  CHECK(broker.take().empty());
}

TEST_CASE("expiry: the shorter of the queue's and the message's ttl counts") {
  broker_shell broker;
  broker.declare("q", with_ttl(100ms));
  broker.declare("plain");
  for (auto* name : {"q", "plain"}) {
    broker.host.publish("", name, short_lived("short", 50ms));
    broker.host.publish("", name, short_lived("long", 5s));
  }
  broker.pass(50ms);
  CHECK(broker.counts("q").ready == 1);
  CHECK(broker.counts("plain").ready == 1);
  broker.pass(50ms);
  CHECK(broker.counts("q").ready == 0);
  broker.pass(4899ms);
  CHECK(broker.counts("plain").ready == 1);
  broker.pass(1ms);
  CHECK(broker.counts("plain").ready == 0);
}

TEST_CASE("expiry: a ttl of zero still reaches a consumer that has credit") {
  broker_shell broker;
  broker.declare("q", with_ttl(0ms));
  broker.attach("q", "c", 1);
  broker.publish_all("q", {"a", "b"});
  CHECK(broker.take() == texts{"c:a"});
  broker.pass(1ms);
  CHECK(broker.counts("q").expired == 1);
}

TEST_CASE("expiry: a message waits behind a head that lives longer") {
  broker_shell broker;
  broker.declare("q");
  broker.publish_all("q", {"for ever"});
  broker.host.publish("", "q", short_lived("short", 10ms));
  broker.pass(1s);
  CHECK(broker.counts("q").ready == 2);
  broker.attach("q", "c", 10);
  CHECK(broker.take() == texts{"c:for ever"});
  CHECK(broker.counts("q").expired == 1);
}

TEST_CASE("expiry: held messages do not expire, returned ones do") {
  broker_shell broker;
  broker.declare("q", with_ttl(100ms));
  broker.attach("q", "c", 2);
  broker.publish_all("q", {"a", "b"});
  CHECK(broker.take() == texts{"c:a", "c:b"});
  broker.pass(1s);
  CHECK(broker.counts("q").unsettled == 2);
  CHECK(broker.settle("c", "a"));
  CHECK(broker.settle("c", "b", outcome::released));
  broker.link_of("c").set_credit(5);
  CHECK(broker.take().empty());
  CHECK(broker.counts("q").accepted == 1);
  CHECK(broker.counts("q").expired == 1);
}

TEST_CASE("expiry: purged and deleted messages leave no alarm behind") {
  broker_shell broker;
  broker.declare("q", with_ttl(100ms));
  broker.publish_all("q", {"a"});
  CHECK(broker.host.purge_queue("q", 0).value() == 1);
  CHECK(broker.host.next_due() == never);
  broker.publish_all("q", {"b"});
  REQUIRE(broker.host.delete_queue("q", 0));
  CHECK(broker.host.next_due() == never);
}

TEST_CASE("expiry: a queue goes when nobody used it for so long") {
  broker_shell broker;
  broker.declare("q", that_expires(100ms));
  broker.publish_all("q", {"a"});
  CHECK(broker.pass(99ms).empty());
  CHECK(broker.pass(1ms) == texts{"q"});
  CHECK(broker.host.find_queue("q") == nullptr);
  CHECK(broker.host.bytes_used() == 0);
  CHECK(broker.publish("q", "b") == publish_outcome::released);
}

TEST_CASE("expiry: a queue with a consumer is used, whatever comes") {
  broker_shell broker;
  broker.declare("q", that_expires(100ms));
  broker.pass(60ms);
  broker.attach("q", "c", 1);
  CHECK(broker.pass(10s).empty());
  broker.detach("c", detach_reason::closed);
  CHECK(broker.pass(99ms).empty());
  CHECK(broker.pass(1ms) == texts{"q"});
}

TEST_CASE("expiry: what expired takes nobody's place in a full queue") {
  broker_shell broker;
  auto options = with_ttl(100ms);
  options.length_max = 1;
  options.overflow = overflow_policy::reject_publish;
  broker.declare("q", options);
  broker.publish_all("q", {"a", "b"});
  CHECK(broker.publish("q", "c") == publish_outcome::rejected);
  broker.now += 100ms; // and nobody looked yet
  CHECK(broker.publish("q", "c") == publish_outcome::accepted);
  CHECK(broker.counts("q").expired == 2);
}

TEST_CASE("expiry: what expires while others are given out takes no place") {
  broker_shell broker;
  queue_options options;
  options.length_max = 1;
  options.overflow = overflow_policy::reject_publish;
  broker.declare("q", options);
  broker.attach("q", "c", 2, {.settled = true});
  for (auto* text : {"a", "b", "c"})
    broker.host.publish("", "q", short_lived(text, 10ms));
  broker.publish_all("q", {"d"});
  CHECK(broker.publish("q", "e") == publish_outcome::rejected);
  broker.now += 10ms; // and the clock has not rung
  CHECK(broker.take() == texts{"c:d"});
  CHECK(broker.publish("q", "e") == publish_outcome::accepted);
  CHECK(broker.take() == texts{"c:e"});
}

TEST_CASE("expiry: very many at once take several turns") {
  constexpr std::uint64_t many = 200'000;
  broker_shell broker;
  broker.declare("q", with_ttl(100ms));
  for (std::uint64_t i = 0; i < many; ++i)
    REQUIRE(broker.publish("q", "x") == publish_outcome::accepted);
  broker.pass(100ms);
  CHECK(broker.counts("q").expired > 0);
  CHECK(broker.counts("q").expired < many);
  while (broker.host.next_due() <= broker.now)
    broker.pass(0ms);
  CHECK(broker.counts("q").expired == many);
}

TEST_CASE("expiry: publishing and declaring are no use of a queue, and its own "
          "time counts") {
  broker_shell broker;
  auto options = that_expires(100ms);
  options.message_ttl = 30ms;
  broker.declare("q", options);
  broker.pass(50ms);
  broker.publish_all("q", {"a"});
  REQUIRE(broker.host.declare_queue("q", options, 0));
  CHECK(broker.pass(30ms).empty());
  CHECK(broker.counts("q").expired == 1);
  CHECK(broker.pass(20ms) == texts{"q"});
}

} // namespace rookery::broker::tests
