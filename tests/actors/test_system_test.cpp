// Goal: the deterministic actor system does what tests rely on.
#include "testing/test_system.hpp"

#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace rookery;
using namespace std::chrono_literals;
using testing::test_system;

namespace {

caf::behavior twice() {
  return {[](int x) { return 2 * x; }};
}

/// Counts seconds in `ticks`.
caf::behavior stopwatch(caf::event_based_actor* self, int* ticks) {
  self->delayed_send(self, 1s, caf::tick_atom::value);
  return {[=](caf::tick_atom) {
    ++*ticks;
    self->delayed_send(self, 1s, caf::tick_atom::value);
  }};
}

/// Holds whoever it is told of.
caf::behavior holder(caf::event_based_actor* self) {
  return {[=](const caf::actor& other) {
    self->become([other](int x) { return x; });
  }};
}

} // namespace

TEST_CASE("test_system: a request is answered", "[testing][system]") {
  test_system t;
  auto x = t.ask<int>(t.spawn(twice), 21);
  REQUIRE(x);
  CHECK(*x == 42);
}

TEST_CASE("test_system: nothing happens before it is run",
          "[testing][system]") {
  test_system t;
  auto seen = t.spawn_recorder<int, std::string>();
  t.tell(seen.handle(), 1);
  t.tell(seen.handle(), std::string{"a"});
  t.tell(seen.handle(), 2);
  CHECK(seen.seen<int>().empty());
  t.run();
  CHECK(seen.seen<int>() == std::vector{1, 2});
  CHECK(seen.seen<std::string>() == std::vector<std::string>{"a"});
}

TEST_CASE("test_system: an hour passes at once, every second of it",
          "[testing][system]") {
  test_system t;
  int ticks = 0;
  t.spawn(stopwatch, &ticks);
  auto before = t.now();
  t.advance_time(1h);
  CHECK(ticks == 3600);
  CHECK(t.now() - before == 1h);
}

TEST_CASE("test_system: time goes forward", "[testing][system]") {
  test_system t;
  CHECK_THROWS_AS(t.advance_time(1s, 0s), std::invalid_argument);
}

TEST_CASE("test_system: a message nobody handles fails the test",
          "[testing][system]") {
  test_system t;
  t.tell(t.spawn(twice), std::string{"a"});
  CHECK_THROWS_AS(t.run(), std::logic_error);
}

TEST_CASE("test_system: an exception in an actor fails the test",
          "[testing][system]") {
  test_system t;
  auto thrower = [](int) { throw std::runtime_error{"no"}; };
  t.tell(t.spawn([=]() -> caf::behavior { return {thrower}; }), 1);
  CHECK_THROWS_AS(t.run(), std::logic_error);
}

TEST_CASE("test_system: it ends an actor that awaits an answer",
          "[testing][system]") {
  test_system t;
  std::vector<caf::response_promise> kept;
  auto mute = t.spawn([&kept](caf::event_based_actor* self) {
    return caf::behavior{[self, &kept](int) {
      kept.push_back(self->make_response_promise());
      return kept.back();
    }};
  });
  bool ended = false;
  t.spawn([&ended, mute](caf::event_based_actor* self) {
    self->attach_functor([&ended] { ended = true; });
    self->request(mute, caf::infinite, 1).await([](int) {});
    return caf::behavior{[](int x) { return x; }};
  });
  t.run();
  t.kill();
  CHECK(ended);
  CHECK(t.system().registry().running() == 0);
}

TEST_CASE("test_system: it ends actors that hold each other, whoever made them",
          "[testing][system]") {
  test_system t;
  auto a = t.system().spawn(holder);
  auto b = t.system().spawn(holder);
  t.tell(a, b);
  t.tell(b, a);
  t.run();
  t.kill();
  CHECK(t.system().registry().running() == 0);
}
