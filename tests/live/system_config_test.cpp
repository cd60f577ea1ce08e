// Goal: an actor system with our settings ends, also while its actors work.
// Method: actors that ask each other for ever, on one thread, many times: when
// the system ends, one of them mostly waits in the scheduler's queue.
#include "bridge/system_config.hpp"

#include "tests/support/catch.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <atomic>

using namespace rookery;

namespace {

caf::behavior echo() {
  return {[](int x) { return x; }};
}

void ask_for_ever(caf::event_based_actor* self, const caf::actor& other,
                  std::atomic<int>* answers) {
  self->request(other, caf::infinite, 1).then([=](int) {
    ++*answers;
    answers->notify_one();
    ask_for_ever(self, other, answers);
  });
}

} // namespace

TEST_CASE("system_config: a bridge's errors are rendered in words",
          "[live][system]") {
  bridge::system_config config;
  caf::actor_system system{config};
  CHECK(system.render(caf::make_error(bridge::errc::unreachable, "a:1: no"))
        == "unreachable: a:1: no");
  CHECK(system.render(caf::make_error(bridge::errc::closed)) == "closed");
}

TEST_CASE("system_config: a system ends while its actors ask each other",
          "[live][system]") {
  constexpr int systems = 300;
  int ended = 0;
  for (int i = 0; i < systems; ++i) {
    std::atomic<int> answers{0}; // outlives the actors
    bridge::system_config config;
    config.set("scheduler.max-threads", std::size_t{1});
    caf::actor_system system{config};
    system.await_actors_before_shutdown(false);
    for (int pair = 0; pair < 4; ++pair)
      system.spawn(
          [other = system.spawn(echo), &answers](caf::event_based_actor* self) {
            ask_for_ever(self, other, &answers);
          });
    answers.wait(0); // they are at it
    ++ended;
  }
  CHECK(ended == systems);
}
