// Goal: nothing in a queue grows without bound, and what a limit costs is
// counted.
// Method: small limits, met one message at a time.
#include "tests/core/broker_shell.hpp"

namespace rookery::broker::tests {

namespace {

/// What a message of one byte costs.
constexpr auto cost = 1 + message_overhead_bytes;

} // namespace

TEST_CASE("limits: drop-head keeps the newest messages") {
  broker_shell shell;
  shell.declare("q", {.length_max = 2});
  shell.publish_all("q", {"a", "b", "c", "d"});
  shell.attach("q", "x", 9);
  CHECK(shell.take() == texts{"x:c", "x:d"});
  CHECK(shell.counts("q").dropped_overflow == 2);
}

TEST_CASE("limits: what credit waits for does not count") {
  broker_shell shell;
  shell.declare("q", {.length_max = 1});
  shell.attach("q", "x", 3);
  shell.publish_all("q", {"a", "b", "c", "d"});
  CHECK(shell.counts("q").dropped_overflow == 0);
  CHECK(shell.take() == texts{"x:a", "x:b", "x:c"});
  shell.publish_all("q", {"e"});
  CHECK(shell.counts("q").dropped_overflow == 1);
}

TEST_CASE("limits: what consumers hold does not count") {
  broker_shell shell;
  shell.declare("q", {.length_max = 1});
  shell.attach("q", "x", 2);
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take().size() == 2);
  shell.publish_all("q", {"c"});
  CHECK(shell.counts("q").dropped_overflow == 0);
  CHECK(shell.counts("q").unsettled == 2);
}

TEST_CASE("limits: a return into a full queue drops the head, which it is") {
  broker_shell shell;
  shell.declare("q", {.length_max = 1});
  shell.attach("q", "x", 1);
  shell.publish_all("q", {"a"});
  CHECK(shell.take() == texts{"x:a"});
  shell.publish_all("q", {"b"});
  shell.detach("x", detach_reason::closed);
  shell.attach("q", "y", 9);
  CHECK(shell.take() == texts{"y:b"});
}

TEST_CASE("limits: taking credit back lets the limit count again") {
  broker_shell shell;
  shell.declare("q", {.length_max = 1});
  auto& x = shell.attach("q", "x", 3);
  shell.publish_all("q", {"a", "b", "c"});
  x.set_paused(true);
  CHECK(shell.counts("q").ready == 1);
  CHECK(shell.counts("q").dropped_overflow == 2);
}

TEST_CASE("limits: a takeover that waits lets the limit count again") {
  broker_shell shell;
  shell.declare("q", {.single_active_consumer = true, .length_max = 1});
  shell.attach("q", "low", 9);
  shell.publish_all("q", {"a", "b", "c", "d"});
  CHECK(shell.take(1) == texts{"low:a"});
  shell.attach("q", "high", 9, {.priority = 1});
  CHECK(shell.counts("q").ready == 1);
  shell.settle("low", "a");
  CHECK(shell.take() == texts{"high:d"});
}

TEST_CASE("limits: reject-publish refuses once the limit is passed") {
  broker_shell shell;
  shell.declare("q",
                {.length_max = 2, .overflow = overflow_policy::reject_publish});
  shell.publish_all("q", {"a", "b", "c"}); // one beyond it
  const auto refused = shell.host.publish("", "q", text_message("d"));
  CHECK(refused.what == publish_outcome::rejected);
  CHECK(refused.why == push_outcome::length_reached);
  CHECK(refused.refused_by == shell.host.find_queue("q"));
  CHECK(shell.counts("q").ready == 3);
  CHECK(shell.counts("q").refused == 1);
}

TEST_CASE("limits: a queue that refused takes again at four fifths") {
  broker_shell shell;
  shell.declare("q",
                {.length_max = 5, .overflow = overflow_policy::reject_publish});
  shell.publish_all("q", {"a", "b", "c", "d", "e", "f"});
  auto& x = shell.attach("q", "x", 0);
  for (const auto* each : {"x:a", "x:b"}) {
    CHECK(shell.publish("q", "g") == publish_outcome::rejected);
    x.set_credit(1);
    CHECK(shell.take() == texts{each});
  }
  CHECK(shell.publish("q", "g") == publish_outcome::accepted); // four were left
}

TEST_CASE("limits: with no room to wait a message needs a waiting consumer") {
  broker_shell shell;
  shell.declare("q",
                {.length_max = 0, .overflow = overflow_policy::reject_publish});
  CHECK(shell.publish("q", "a") == publish_outcome::accepted);
  CHECK(shell.publish("q", "b") == publish_outcome::rejected);
  shell.attach("q", "x", 2);
  CHECK(shell.publish("q", "b") == publish_outcome::accepted);
  CHECK(shell.publish("q", "c") == publish_outcome::accepted);
  CHECK(shell.publish("q", "d") == publish_outcome::rejected);
  CHECK(shell.take() == texts{"x:a", "x:b"});
}

TEST_CASE("limits: bytes are limited by either policy") {
  broker_shell shell;
  shell.declare("head", {.bytes_max = 4});
  shell.declare("reject",
                {.bytes_max = 4, .overflow = overflow_policy::reject_publish});
  shell.publish_all("head", {"aaa", "b", "cc"});
  CHECK(shell.counts("head").ready_bytes == 3);
  CHECK(shell.counts("head").dropped_overflow == 1);
  shell.publish_all("reject", {"aaa", "bb"});
  CHECK(shell.host.publish("", "reject", text_message("c")).why
        == push_outcome::bytes_reached);
}

TEST_CASE("limits: bytes count again when the last credit is used") {
  broker_shell shell;
  shell.declare("q", {.bytes_max = 2});
  shell.attach("q", "x", 1);
  shell.publish_all("q", {"a", "bb", "cc"});
  CHECK(shell.take() == texts{"x:a"});
  CHECK(shell.counts("q").ready_bytes == 2);
}

TEST_CASE("limits: a queue without limits is refused beyond the broker's") {
  broker_shell shell{{.queue_bytes_max = 2 * cost}};
  shell.declare("q");
  shell.attach("q", "x", 1);
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take() == texts{"x:a"});
  CHECK(shell.host.publish("", "q", text_message("c")).why
        == push_outcome::queue_full); // what is held counts here
  CHECK(shell.settle("x", "a"));
  CHECK(shell.publish("q", "c") == publish_outcome::accepted);
}

TEST_CASE("limits: all queues together stay within the broker's limit") {
  broker_shell shell{{.bytes_max = 2 * cost}};
  shell.declare("p");
  shell.declare("q");
  shell.publish_all("p", {"a"});
  shell.publish_all("q", {"b"});
  CHECK(shell.host.publish("", "q", text_message("c")).why
        == push_outcome::host_full);
  CHECK(shell.host.bytes_used() == 2 * cost);
  REQUIRE(shell.host.delete_queue("p", 0));
  CHECK(shell.publish("q", "c") == publish_outcome::accepted);
}

TEST_CASE("limits: a deleted queue gives back what its consumers held") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 1);
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take().size() == 1);
  REQUIRE(shell.host.delete_queue("q", 0));
  CHECK(shell.host.bytes_used() == 0);
}

TEST_CASE("limits: a message returned more often than allowed is dropped") {
  broker_shell shell;
  shell.declare("q", {.delivery_limit = 2});
  shell.attach("q", "x", 9);
  shell.publish_all("q", {"a"});
  CHECK(shell.take() == texts{"x:a"});
  shell.settle("x", "a", outcome::released);
  CHECK(shell.take() == texts{"x:a*"});
  shell.settle("x", "a", outcome::failed);
  CHECK(shell.take() == texts{"x:a*+1"});
  shell.settle("x", "a", outcome::released);
  CHECK(shell.take().empty());
  CHECK(shell.counts("q").dropped_delivery_limit == 1);
}

TEST_CASE("limits: a negative delivery limit is none") {
  broker_shell shell;
  shell.declare("q", {.delivery_limit = -1});
  shell.attach("q", "x", 100);
  shell.publish_all("q", {"a"});
  for (int round = 0; round < 50; ++round) {
    REQUIRE(shell.take().size() == 1);
    REQUIRE(shell.settle("x", "a", outcome::failed));
  }
  CHECK(shell.counts("q").ready == 1);
}

} // namespace rookery::broker::tests
