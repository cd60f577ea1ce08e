#pragma once

#include "testing/answer.hpp"
#include "testing/recorder.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rookery::testing {

/// One CAF actor system without threads and without real time: nothing happens
/// but in `run`, `ask` and `advance_time`, in the order things were sent. A
/// message that an actor does not handle and an exception in it make them
/// throw, so that the test fails, if it was spawned or guarded here. Ends its
/// actors in its destructor. Prints nothing.
/// Several of these step happily in one test.
///
/// Never spawn detached or blocking actors here: they would bring threads.
/// @thread one
///
/// Why not CAF's own fixture: `caf/test/dsl.hpp` brings a second test
/// framework and lower-case macros.
class test_system {
public:
  using time_point = std::chrono::system_clock::time_point;

  test_system() = default;
  ~test_system();
  test_system(const test_system&) = delete;
  test_system& operator=(const test_system&) = delete;

  [[nodiscard]] caf::actor_system& system() { return system_; }

  /// The virtual time: 2026-01-02 00:00 UTC when the test starts.
  [[nodiscard]] time_point now() const;

  /// `now` as a function, for actors that take their clock as an argument.
  [[nodiscard]] std::function<time_point()> clock() const {
    return [this] { return now(); };
  }

  /// Spawns `fun(self, args...)`; it starts with the next `run`.
  template <class Fun, class... Args>
  auto spawn(Fun fun, Args&&... args) {
    auto handle = system_.spawn(std::move(fun), std::forward<Args>(args)...);
    watch(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  template <class... Ts>
  recorder<Ts...> spawn_recorder() {
    recorder<Ts...> result;
    result.handle_ = spawn([seen = result.seen_]() -> caf::behavior {
      return {[seen](const Ts& message) {
        std::get<std::vector<Ts>>(*seen).push_back(message);
      }...};
    });
    return result;
  }

  /// Sends asynchronously; nothing runs yet.
  template <class Handle, class... Ts>
  void tell(const Handle& target, Ts&&... message) {
    caf::anon_send(target, std::forward<Ts>(message)...);
  }

  /// Sends a request; nothing of `target` runs yet, so that requests started
  /// one after the other wait in its mailbox together.
  template <class Reply, class Handle, class... Ts>
  answer<Reply> start(const Handle& target, const Ts&... message) {
    answer<Reply> result;
    auto asker = spawn([=](caf::event_based_actor* self) {
      auto failed = [=](caf::error& why) { result.put(std::move(why)); };
      auto request = self->request(target, caf::infinite, message...);
      if constexpr (std::is_void_v<Reply>)
        request.then([=] { result.put(caf::unit); }, failed);
      else
        request.then([=](Reply& x) { result.put(std::move(x)); }, failed);
    });
    scheduler_.prioritize(asker);
    run_one();
    return result;
  }

  /// Sends a request, runs everything, and returns what came back.
  template <class Reply, class Handle, class... Ts>
  caf::expected<Reply> ask(const Handle& target, const Ts&... message) {
    auto result = start<Reply>(target, message...);
    run();
    return result.get();
  }

  /// Runs until no actor has anything to do. Time stands still.
  void run();

  /// Runs at most `turns_max` actors, one turn each. @returns whether some
  /// still have something to do
  bool step(std::size_t turns_max);

  /// Lets `span` pass and runs nothing; timers that are due become messages.
  void pass_time(caf::timespan span) { scheduler_.advance_time(span); }

  /// Runs, then lets `span` pass in steps of at most `step` and runs after
  /// each, so that a timer that renews itself fires as often as it should.
  /// @throws std::invalid_argument when `step` is not above zero
  void advance_time(caf::timespan span,
                    caf::timespan step = std::chrono::milliseconds{50});

  /// Fails the test, or a later `run` or `step`, when `actor` meets a message
  /// it does not handle or an exception. For actors spawned elsewhere.
  void guard(const caf::actor& actor) {
    watch(caf::actor_cast<caf::strong_actor_ptr>(actor));
  }

  /// Ends every actor, whoever spawned it, before it gets another turn.
  void kill();

private:
  bool run_one();
  void know(caf::resumable& x);
  void watch(const caf::strong_actor_ptr& handle);
  void throw_trouble();

  static caf::actor_system_config make_config();

  caf::actor_system_config config_ = make_config();
  caf::actor_system system_{config_};
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  caf::actor_clock::time_point started_ = scheduler_.clock().current_time;
  /// Every actor that was spawned here or had a turn; weak, so that they may
  /// end on their own.
  std::map<caf::actor_id, caf::actor_addr> actors_;
  /// What went wrong in actors since the last look. Shared, because an actor
  /// outlives this member when it ends with the system.
  std::shared_ptr<std::string> trouble_ = std::make_shared<std::string>();
};

} // namespace rookery::testing
