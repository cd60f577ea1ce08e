// Goal: a queue gives each message to one consumer, in order, within credit,
// and again when it comes back.
// Method: a broker with one queue, driven by name; each case shows the whole
// conversation as text.
#include "tests/core/broker_shell.hpp"

namespace rookery::broker::tests {

TEST_CASE("queue: messages come out in the order they went in") {
  broker_shell shell;
  shell.declare("q");
  shell.publish_all("q", {"a", "b"});
  shell.attach("q", "x", 10);
  shell.publish_all("q", {"c"});
  CHECK(shell.take() == texts{"x:a", "x:b", "x:c"});
  CHECK(shell.take().empty());
}

TEST_CASE("queue: a consumer without credit gets nothing") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 0);
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take().empty());
  x.set_credit(2);
  CHECK(shell.take() == texts{"x:a", "x:b"});
  CHECK(x.credit() == 0);
}

TEST_CASE("queue: credit is set, not added, and can be taken back") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 5);
  x.set_credit(1);
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take() == texts{"x:a"});
  x.set_credit(1);
  x.set_credit(0);
  CHECK(shell.take().empty());
}

TEST_CASE("queue: settling a delivery does not renew credit") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 1);
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take() == texts{"x:a"});
  CHECK(shell.settle("x", "a"));
  CHECK(shell.take().empty());
}

TEST_CASE("queue: equal consumers with credit take turns") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 3);
  shell.attach("q", "y", 1);
  shell.attach("q", "z", 3);
  shell.publish_all("q", {"a", "b", "c", "d", "e", "f", "g", "h"});
  CHECK(shell.take() == texts{"x:a", "y:b", "z:c", "x:d", "z:e", "x:f", "z:g"});
}

TEST_CASE("queue: the highest priority is served as long as it has credit") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "low", 5, {.priority = -1});
  shell.attach("q", "high", 2, {.priority = 7});
  shell.attach("q", "middle", 1);
  shell.publish_all("q", {"a", "b", "c", "d"});
  CHECK(shell.take() == texts{"high:a", "high:b", "middle:c", "low:d"});
  shell.link_of("high").set_credit(1);
  shell.publish_all("q", {"e", "f"});
  CHECK(shell.take() == texts{"high:e", "low:f"});
}

TEST_CASE("queue: a released message comes first, unfailed, not as new") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 1);
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take() == texts{"x:a"});
  CHECK(shell.settle("x", "a", outcome::released));
  shell.link_of("x").set_credit(2);
  CHECK(shell.take() == texts{"x:a*", "x:b"});
}

TEST_CASE("queue: a failed message comes back with its delivery count raised") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 3);
  shell.publish_all("q", {"a"});
  CHECK(shell.take() == texts{"x:a"});
  CHECK(shell.settle("x", "a", outcome::failed));
  CHECK(shell.take() == texts{"x:a*+1"});
  CHECK(shell.settle("x", "a", outcome::failed));
  CHECK(shell.take() == texts{"x:a*+2"});
}

TEST_CASE("queue: rejected and undeliverable messages are gone, and counted") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 9);
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take().size() == 3);
  CHECK(shell.settle("x", "a", outcome::rejected));
  CHECK(shell.settle("x", "b", modified(true, true)));
  CHECK(shell.settle("x", "c", outcome::accepted));
  CHECK(shell.take().empty());
  const auto counts = shell.counts("q");
  CHECK(counts.rejected == 1);
  CHECK(counts.undeliverable == 1);
  CHECK(counts.accepted == 1);
  CHECK(counts.unsettled == 0);
}

TEST_CASE("queue: modified says whether it failed and whether to come again") {
  CHECK(modified(false, false) == outcome::modified);
  CHECK(modified(true, false) == outcome::failed);
  CHECK(modified(false, true) == outcome::undeliverable);
  CHECK(modified(true, true) == outcome::undeliverable_failed);
}

TEST_CASE("queue: returned messages go first, in the order of their return") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 2);
  shell.attach("q", "y", 2);
  shell.publish_all("q", {"a", "b", "c", "d", "e"});
  CHECK(shell.take() == texts{"x:a", "y:b", "x:c", "y:d"});
  shell.settle("y", "d", outcome::released);
  shell.settle("x", "c", outcome::released);
  shell.settle("y", "b", outcome::failed);
  shell.settle("x", "a", outcome::released);
  shell.link_of("y").set_credit(5);
  CHECK(shell.take() == texts{"y:d*", "y:c*", "y:b*+1", "y:a*", "y:e"});
}

TEST_CASE(
    "queue: without a delivery limit a released message goes to the end") {
  broker_shell shell;
  shell.declare("q", {.delivery_limit = -1});
  auto& x = shell.attach("q", "x", 2);
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take() == texts{"x:a", "x:b"});
  shell.settle("x", "a", outcome::released);
  shell.settle("x", "b", outcome::modified);
  x.set_credit(9);
  CHECK(shell.take() == texts{"x:b*", "x:c", "x:a*"});
}

TEST_CASE("queue: a classic queue has no delivery limit, nor that order") {
  broker_shell shell;
  shell.declare("q", {.type = queue_type::classic});
  shell.attach("q", "x", 100);
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take() == texts{"x:a", "x:b"});
  for (int round = 0; round < 50; ++round) {
    REQUIRE(shell.settle("x", "a", outcome::released));
    REQUIRE(shell.take() == texts{"x:a*"});
  }
}

TEST_CASE("queue: after two messages of high priority a normal one goes") {
  broker_shell shell;
  shell.declare("q");
  shell.publish_all("q", {"n1", "n2", "n3"});
  for (const auto* each : {"h1", "h2", "h3"})
    shell.host.publish("", "q", text_message(each, 5));
  shell.attach("q", "x", 9);
  CHECK(shell.take() == texts{"x:h1", "x:h2", "x:n1", "x:h3", "x:n2", "x:n3"});
}

TEST_CASE("queue: a normal message has no turn before an older one") {
  broker_shell shell;
  shell.declare("q");
  for (const auto* each : {"h1", "h2", "h3", "h4"})
    shell.host.publish("", "q", text_message(each, 9));
  shell.publish_all("q", {"n1"});
  shell.attach("q", "x", 9);
  CHECK(shell.take() == texts{"x:h1", "x:h2", "x:h3", "x:h4", "x:n1"});
}

TEST_CASE(
    "queue: what a closed link held comes back with its count unchanged") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 3);
  shell.publish_all("q", {"a", "b", "c", "d"});
  CHECK(shell.take() == texts{"x:a", "x:b", "x:c"});
  CHECK(shell.settle("x", "b"));
  shell.detach("x", detach_reason::closed);
  shell.attach("q", "y", 9);
  CHECK(shell.take() == texts{"y:a*", "y:c*", "y:d"});
}

TEST_CASE("queue: what a failed consumer held comes back as failed") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 2);
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take() == texts{"x:a", "x:b"});
  shell.detach("x", detach_reason::failed);
  shell.attach("q", "y", 9);
  CHECK(shell.take() == texts{"y:a*+1", "y:b*+1", "y:c"});
  CHECK(shell.counts("q").abandoned == 2);
}

TEST_CASE("queue: a detached consumer can neither settle nor get anything") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 5);
  shell.publish_all("q", {"a"});
  CHECK(shell.take() == texts{"x:a"});
  shell.detach("x", detach_reason::closed);
  CHECK_FALSE(shell.settle("x", "a"));
  CHECK_FALSE(x.set_credit(5));
  CHECK_FALSE(x.attached());
  CHECK(shell.take().empty());
  CHECK(shell.counts("q").ready == 1);
}

TEST_CASE("queue: a delivery is settled once, and only by who holds it") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 1);
  auto& y = shell.attach("q", "y", 0);
  shell.publish_all("q", {"a", "b"});
  event delivery;
  REQUIRE(shell.host.next(delivery));
  const auto id = delivery.id;
  CHECK_FALSE(y.settle(id, outcome::accepted));
  CHECK_FALSE(x.settle(id + 1, outcome::accepted));
  CHECK_FALSE(x.settle(0, outcome::accepted));
  CHECK(x.settle(id, outcome::released));
  CHECK_FALSE(x.settle(id, outcome::accepted));
  x.set_credit(1);
  REQUIRE(shell.host.next(delivery));
  CHECK(delivery.id != id);
  CHECK_FALSE(x.settle(id, outcome::accepted));
  CHECK(shell.counts("q").accepted == 0);
}

TEST_CASE("queue: a pre-settled consumer's deliveries are accepted at once") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 2, {.settled = true});
  shell.publish_all("q", {"a", "b", "c"});
  event delivery;
  REQUIRE(shell.host.next(delivery));
  CHECK(delivery.message->bytes == "a");
  CHECK(delivery.id == 0);
  CHECK(x.unsettled_count() == 0);
  CHECK(shell.take() == texts{"x:b"});
  shell.detach("x", detach_reason::failed);
  const auto counts = shell.counts("q");
  CHECK(counts.accepted == 2);
  CHECK(counts.ready == 1);
}

TEST_CASE("queue: draining gives back the credit that finds no message") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 0);
  shell.publish_all("q", {"a", "b"});
  x.set_credit(5, true);
  CHECK(shell.take() == texts{"x:a", "x:b", "x drained 3"});
  CHECK(x.credit() == 0);
  shell.publish_all("q", {"c"});
  CHECK(shell.take().empty());
}

TEST_CASE("queue: draining an empty queue answers at once, and once") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 0).set_credit(4, true);
  CHECK(shell.take() == texts{"x drained 4"});
  CHECK(shell.take().empty());
}

TEST_CASE("queue: new credit without drain calls a drain off") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 0);
  x.set_credit(4, true);
  x.set_credit(4, false);
  CHECK(shell.take().empty());
  CHECK(x.credit() == 4);
}

TEST_CASE("queue: a paused consumer keeps its credit and others are served") {
  broker_shell shell;
  shell.declare("q");
  auto& x = shell.attach("q", "x", 0, {.priority = 1});
  shell.attach("q", "y", 1);
  x.set_credit(2, true);
  x.set_paused(true);
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take() == texts{"y:a"});
  x.set_paused(false);
  CHECK(shell.take() == texts{"x:b", "x drained 1"});
}

TEST_CASE("queue: purging removes what is ready and leaves what is held") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 1);
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take() == texts{"x:a"});
  auto purged = shell.host.purge_queue("q", 0);
  REQUIRE(purged);
  CHECK(purged.value() == 2);
  CHECK(shell.settle("x", "a", outcome::released));
  shell.link_of("x").set_credit(9);
  CHECK(shell.take() == texts{"x:a*"});
}

} // namespace rookery::broker::tests
