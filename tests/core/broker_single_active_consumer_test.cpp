// Goal: a single-active-consumer queue has one reader at a time, and hands
// over without loss or disorder.
// Method: the conversations of a RabbitMQ 4.0.5 quorum queue, as text.
#include "tests/core/broker_shell.hpp"

namespace rookery::broker::tests {

namespace {

constexpr queue_options single{.single_active_consumer = true};

} // namespace

TEST_CASE("single active consumer: the first to attach gets everything") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "x", 2);
  shell.attach("q", "y", 9);
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take() == texts{"x:a", "x:b"});
  shell.link_of("x").set_credit(1);
  CHECK(shell.take() == texts{"x:c"});
}

TEST_CASE(
    "single active consumer: the next by order follows, held ones first") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "x", 2);
  shell.attach("q", "y", 9);
  shell.attach("q", "z", 9);
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take() == texts{"x:a", "x:b"});
  shell.detach("x", detach_reason::failed);
  CHECK(shell.take() == texts{"y:a*+1", "y:b*+1", "y:c"});
}

TEST_CASE("single active consumer: who becomes active is told, once") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "low", 9);
  shell.attach("q", "other", 9);
  shell.take();
  CHECK(shell.activated == texts{"low"});
  shell.publish_all("q", {"a"});
  shell.take();
  shell.attach("q", "high", 9, {.priority = 1});
  shell.take();
  CHECK(shell.activated == texts{"low"}); // it still works on a
  CHECK(shell.settle("low", "a"));
  shell.take();
  CHECK(shell.activated == texts{"low", "high"});
  shell.detach("low", detach_reason::closed);
  shell.take();
  CHECK(shell.activated == texts{"low", "high"});
  shell.detach("high", detach_reason::failed);
  shell.take();
  CHECK(shell.activated == texts{"low", "high", "other"});
}

TEST_CASE("single active consumer: who went before it was told is not") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "x", 9);
  shell.detach("x", detach_reason::closed);
  shell.take();
  CHECK(shell.activated.empty());
}

TEST_CASE("competing consumers: nobody is told to be the active one") {
  broker_shell shell;
  shell.declare("q");
  shell.attach("q", "x", 9);
  shell.take();
  CHECK(shell.activated.empty());
}

TEST_CASE("single active consumer: the highest priority follows") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "x", 9, {.priority = 3});
  shell.attach("q", "y", 9, {.priority = 1});
  shell.attach("q", "z", 9, {.priority = 2});
  shell.publish_all("q", {"a"});
  CHECK(shell.take() == texts{"x:a"});
  shell.detach("x", detach_reason::closed);
  CHECK(shell.take() == texts{"z:a*"});
}

TEST_CASE("single active consumer: of equals, one with credit follows") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "x", 9);
  shell.attach("q", "y", 0);
  shell.attach("q", "z", 9);
  shell.detach("x", detach_reason::closed);
  shell.publish_all("q", {"a"});
  CHECK(shell.take() == texts{"z:a"});
}

TEST_CASE("single active consumer: a higher priority takes over an idle one") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "low", 9, {.priority = 1});
  shell.publish_all("q", {"a"});
  CHECK(shell.take() == texts{"low:a"});
  CHECK(shell.settle("low", "a"));
  shell.attach("q", "high", 9, {.priority = 10});
  shell.publish_all("q", {"b"});
  CHECK(shell.take() == texts{"high:b"});
  shell.settle("high", "b");
  shell.detach("high", detach_reason::failed);
  shell.publish_all("q", {"c"});
  CHECK(shell.take() == texts{"low:c"});
}

TEST_CASE("single active consumer: a takeover waits until all is settled") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "low", 2, {.priority = 1});
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take() == texts{"low:a", "low:b"});
  shell.attach("q", "high", 9, {.priority = 10});
  shell.link_of("low").set_credit(9);
  CHECK(shell.take().empty());
  CHECK(shell.settle("low", "b"));
  CHECK(shell.take().empty());
  CHECK(shell.settle("low", "a", outcome::released));
  CHECK(shell.take() == texts{"high:a*", "high:c"});
}

TEST_CASE("single active consumer: a takeover is over when the low one goes") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "low", 2, {.priority = 1});
  shell.publish_all("q", {"a", "b", "c"});
  CHECK(shell.take() == texts{"low:a", "low:b"});
  shell.attach("q", "high", 9, {.priority = 10});
  shell.detach("low", detach_reason::closed);
  CHECK(shell.take() == texts{"high:a*", "high:b*", "high:c"});
}

TEST_CASE("single active consumer: a takeover is off when the high one goes") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "low", 2, {.priority = 1});
  shell.publish_all("q", {"a", "b"});
  CHECK(shell.take(1) == texts{"low:a"});
  shell.attach("q", "high", 9, {.priority = 10});
  CHECK(shell.take().empty());
  shell.detach("high", detach_reason::closed);
  CHECK(shell.take() == texts{"low:b"});
}

TEST_CASE("single active consumer: an equal priority takes nothing over") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "x", 1, {.priority = 5});
  shell.attach("q", "y", 9, {.priority = 5});
  shell.publish_all("q", {"a"});
  CHECK(shell.take() == texts{"x:a"});
  CHECK(shell.host.find_queue("q")->consumers().active()
        == &shell.link_of("x"));
}

TEST_CASE("single active consumer: one that waits is drained at once") {
  broker_shell shell;
  shell.declare("q", single);
  shell.attach("q", "x", 0);
  auto& y = shell.attach("q", "y", 0);
  shell.publish_all("q", {"a"});
  y.set_credit(7, true);
  CHECK(shell.take() == texts{"y drained 7"});
}

} // namespace rookery::broker::tests
