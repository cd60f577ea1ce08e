// Goal: queues are declared, found, locked, limited and removed as documented.
// Method: one command a line, the refusals read by code and text.
#include "tests/core/broker_shell.hpp"

#include <algorithm>

namespace rookery::broker::tests {

namespace {

constexpr connection_id mine = 1;
constexpr connection_id other = 2;

template <class Value>
errc refusal_of(result<Value> refused) {
  REQUIRE_FALSE(refused);
  return refused.error().code;
}

} // namespace

TEST_CASE("virtual host: declaring the same again finds the queue") {
  virtual_host host;
  auto first = host.declare_queue("q", {.length_max = 5}, mine);
  REQUIRE(first);
  CHECK(first.value().created);
  auto second = host.declare_queue("q", {.length_max = 5}, other);
  REQUIRE(second);
  CHECK_FALSE(second.value().created);
  CHECK(second.value().target == first.value().target);
}

TEST_CASE("virtual host: declaring otherwise is refused by name of argument") {
  const auto difference = [](const queue_options& options) {
    virtual_host host;
    REQUIRE(host.declare_queue("q", {}, mine));
    auto refused = host.declare_queue("q", options, mine);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::precondition_failed);
    return refused.error().text;
  };
  const std::string start = "queue 'q' exists with another ";
  CHECK(difference({.type = queue_type::classic}) == start + "x-queue-type");
  CHECK(difference({.at_most_once = true}) == start + "x-dead-letter-strategy");
  CHECK(difference({.durable = false}) == start + "durable");
  CHECK(difference({.exclusive = true}) == start + "exclusive");
  CHECK(difference({.auto_delete = true}) == start + "auto_delete");
  CHECK(difference({.single_active_consumer = true})
        == start + "x-single-active-consumer");
  CHECK(difference({.length_max = 1}) == start + "x-max-length");
  CHECK(difference({.bytes_max = 1}) == start + "x-max-length-bytes");
  CHECK(difference({.overflow = overflow_policy::reject_publish})
        == start + "x-overflow");
  CHECK(difference({.delivery_limit = -1}) == start + "x-delivery-limit");
}

TEST_CASE("virtual host: names are 1 to 255 bytes on one line, not amq.*") {
  virtual_host host;
  CHECK(host.declare_queue(std::string(255, 'n'), {}, mine));
  CHECK(host.declare_queue("caf\xc3\xa9 / 1%", {}, mine));
  CHECK(refusal_of(host.declare_queue(std::string(256, 'n'), {}, mine))
        == errc::not_allowed);
  CHECK(refusal_of(host.declare_queue("", {}, mine)) == errc::not_allowed);
  CHECK(refusal_of(host.declare_queue("a\nb", {}, mine)) == errc::not_allowed);
  CHECK(refusal_of(host.declare_queue("amq.q", {}, mine))
        == errc::access_refused);
}

TEST_CASE("virtual host: a queue that is not there is not found") {
  virtual_host host;
  CHECK(host.find_queue("q") == nullptr);
  CHECK(refusal_of(host.attach("q", {})) == errc::not_found);
  CHECK(refusal_of(host.purge_queue("q", mine)) == errc::not_found);
  auto deleted = host.delete_queue("q", mine);
  REQUIRE(deleted);
  CHECK_FALSE(deleted.value().existed);
}

TEST_CASE("virtual host: a deleted queue cancels its consumers") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 1);
  auto& y = shell.attach("q", "y", 0);
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take() == texts{"x:a"});
  auto deleted = shell.host.delete_queue("q", 0);
  REQUIRE(deleted);
  CHECK(deleted.value().existed);
  CHECK(deleted.value().message_count == 2);
  REQUIRE(deleted.value().cancelled.size() == 2);
  CHECK(deleted.value().cancelled[0].get() == &x);
  CHECK(deleted.value().cancelled[1].get() == &y);
  CHECK_FALSE(x.attached());
  CHECK_FALSE(shell.settle("x", "a"));
  shell.detach("x", detach_reason::closed); // late, and harmless
  CHECK(shell.take().empty());
  CHECK(shell.publish("q", "d") == publish_outcome::released);
}

TEST_CASE("virtual host: a queue deleted with events pending gives none") {
  broker_shell shell;
  shell.declare("q");
  shell.declare("other");
  shell.attach("q", "x", 5);
  shell.attach("other", "y", 5);
  shell.publish_all("q", {"a", "b"});
  shell.publish_all("other", {"c"});
  CHECK(shell.take(1) == texts{"x:a"});
  REQUIRE(shell.host.delete_queue("q", 0));
  CHECK(shell.take() == texts{"y:c"});
}

TEST_CASE("virtual host: an auto-delete queue goes with its last consumer") {
  broker_shell shell;
  shell.declare("q", {.auto_delete = true});
  shell.publish_all("q", {"a"}); // no consumer yet: it stays
  shell.attach("q", "x", 0);
  shell.attach("q", "y", 0);
  shell.detach("x", detach_reason::closed);
  CHECK(shell.host.find_queue("q") != nullptr);
  shell.detach("y", detach_reason::failed);
  CHECK(shell.host.find_queue("q") == nullptr);
  CHECK(shell.host.bytes_used() == 0);
}

TEST_CASE("virtual host: an exclusive queue is locked for other connections") {
  virtual_host host;
  const queue_options exclusive{.exclusive = true};
  REQUIRE(host.declare_queue("q", exclusive, mine));
  CHECK(host.declare_queue("q", exclusive, mine));
  CHECK(host.attach("q", {.connection = mine}));
  CHECK(refusal_of(host.declare_queue("q", exclusive, other))
        == errc::resource_locked);
  CHECK(refusal_of(host.attach("q", {.connection = other}))
        == errc::resource_locked);
  CHECK(refusal_of(host.delete_queue("q", other)) == errc::resource_locked);
  CHECK(refusal_of(host.purge_queue("q", other)) == errc::resource_locked);
  CHECK(refusal_of(host.bind("amq.fanout", "q", "", other))
        == errc::resource_locked);
  CHECK(host.publish("", "q", text_message("a")).what
        == publish_outcome::accepted); // anyone may reply to it
}

TEST_CASE("virtual host: a closed connection leaves nothing of its own") {
  broker_shell shell;
  shell.declare("own", {.exclusive = true}, mine);
  shell.declare("work");
  shell.declare("auto", {.auto_delete = true});
  shell.attach("own", "o", 5, {.connection = mine});
  shell.attach("auto", "t", 5, {.connection = mine});
  auto& x = shell.attach("work", "x", 1, {.connection = mine});
  shell.attach("work", "y", 0, {.connection = other});
  shell.publish_all("work", {"a"});
  CHECK(shell.take() == texts{"x:a"});
  shell.host.connection_closed(mine);
  CHECK(shell.host.find_queue("own") == nullptr);
  CHECK(shell.host.find_queue("auto") == nullptr);
  CHECK_FALSE(x.attached());
  shell.link_of("y").set_credit(1);
  CHECK(shell.take() == texts{"y:a*+1"});
}

TEST_CASE("virtual host: queues and consumers have limits") {
  virtual_host host{{.queues_max = 1, .consumers_per_queue_max = 1}};
  REQUIRE(host.declare_queue("q", {}, mine));
  CHECK(host.declare_queue("q", {}, mine)); // is there already
  CHECK(refusal_of(host.declare_queue("r", {}, mine))
        == errc::resource_limit_exceeded);
  REQUIRE(host.attach("q", {}));
  CHECK(refusal_of(host.attach("q", {})) == errc::resource_limit_exceeded);
}

TEST_CASE("virtual host: busy queues take turns") {
  broker_shell shell;
  shell.declare("p");
  shell.declare("q");
  shell.attach("p", "x", 1'000);
  shell.attach("q", "y", 1'000);
  for (int each = 0; each < 200; ++each) {
    shell.publish_all("p", {"m"});
    shell.publish_all("q", {"m"});
  }
  const auto seen = shell.take(100);
  CHECK(std::count(seen.begin(), seen.end(), "x:m") > 0);
  CHECK(std::count(seen.begin(), seen.end(), "y:m") > 0);
  CHECK(shell.take().size() == 300);
}

TEST_CASE("virtual host: counts tell what became of each message") {
  broker_shell shell;
  shell.declare("q", {.length_max = 5});
  shell.attach("q", "x", 4);
  shell.publish_all("q", {"a", "b", "c", "d", "e", "f"});
  CHECK(shell.take().size() == 4);
  shell.settle("x", "a", outcome::accepted);
  shell.settle("x", "b", outcome::released);
  shell.settle("x", "c", outcome::failed);
  const auto counts = shell.counts("q");
  CHECK(counts.published == 6);
  CHECK(counts.delivered == 4);
  CHECK(counts.redelivered == 0);
  CHECK(counts.accepted == 1);
  CHECK(counts.released == 1);
  CHECK(counts.failed == 1);
  CHECK(counts.unsettled == 1);
  CHECK(counts.ready == 4);
  CHECK(counts.ready_bytes == 4);
  CHECK(counts.consumers == 1);
  CHECK(counts.held_cost == 5 * (1 + message_overhead_bytes));
  CHECK(counts.held_cost == shell.host.bytes_used());
}

TEST_CASE("virtual host: every refusal has an AMQP condition") {
  CHECK(condition(errc::not_found) == "amqp:not-found");
  CHECK(condition(errc::resource_locked) == "amqp:resource-locked");
  CHECK(condition(errc::precondition_failed) == "amqp:precondition-failed");
  CHECK(condition(errc::resource_limit_exceeded)
        == "amqp:resource-limit-exceeded");
  CHECK(condition(errc::not_allowed) == "amqp:not-allowed");
  CHECK(condition(errc::access_refused) == "amqp:unauthorized-access");
}

} // namespace rookery::broker::tests
