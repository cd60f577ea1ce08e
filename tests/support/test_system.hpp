#pragma once

#include <caf/all.hpp>
#include <caf/detail/pretty_type_name.hpp>
#include <caf/detail/test_actor_clock.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace rookery {

/// What became of one request: nothing yet, a reply, or an error. Copies share.
template <class Reply>
class answer {
public:
  [[nodiscard]] bool done() const { return *done_; }

  /// The reply or the error. @throws std::logic_error while not `done()`.
  [[nodiscard]] const caf::expected<Reply>& get() const {
    if (!done())
      throw std::logic_error("test_system: a request was not answered");
    return *result_;
  }

private:
  friend class test_system;
  void put(caf::expected<Reply> result) const {
    *result_ = std::move(result);
    *done_ = true;
  }

  std::shared_ptr<bool> done_ = std::make_shared<bool>(false);
  std::shared_ptr<caf::expected<Reply>> result_ =
      std::make_shared<caf::expected<Reply>>(caf::sec::none);
};

/// Keeps every message of the types `Ts` it is sent, in order of arrival.
template <class... Ts>
class recorder {
public:
  [[nodiscard]] const caf::actor& handle() const { return handle_; }

  template <class T>
  [[nodiscard]] const std::vector<T>& seen() const {
    return std::get<std::vector<T>>(*seen_);
  }

  void clear() { *seen_ = {}; }

private:
  friend class test_system;
  using seen_type = std::tuple<std::vector<Ts>...>;
  caf::actor handle_;
  std::shared_ptr<seen_type> seen_ = std::make_shared<seen_type>();
};

/// One CAF actor system without threads and without real time: nothing happens
/// but in `run`, `ask` and `advance_time`, in the order things were sent. A
/// message nobody handles and an exception in an actor make them throw, so
/// that the test fails. Ends its actors in its destructor. Prints nothing.
/// Several of these step happily in one test.
///
/// Why not CAF's own fixture: `caf/test/dsl.hpp` brings a second test
/// framework and lower-case macros.
class test_system {
public:
  using time_point = std::chrono::system_clock::time_point;

  test_system() = default;
  test_system(const test_system&) = delete;
  test_system& operator=(const test_system&) = delete;

  ~test_system() {
    for (auto& address : actors_)
      if (auto target = caf::actor_cast<caf::actor>(address))
        caf::anon_send_exit(target, caf::exit_reason::kill);
    scheduler_.run();
    scheduler_.clock().cancel_all(); // or its stop() would fire them for ever
  }

  [[nodiscard]] caf::actor_system& system() { return system_; }

  /// The virtual time: 2026-01-02 00:00 UTC when the test starts.
  [[nodiscard]] time_point now() const {
    auto passed = scheduler_.clock().current_time - started_;
    return time_point{std::chrono::seconds{1767312000}}
           + std::chrono::duration_cast<time_point::duration>(passed);
  }

  /// `now` as a function, for actors that take their clock as an argument.
  [[nodiscard]] std::function<time_point()> clock() const {
    return [this] { return now(); };
  }

  /// Spawns `fun(self, args...)`; it starts with the next `run`. Never spawn
  /// detached or blocking actors here: they would bring threads.
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
    scheduler_.run_once();
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
  void run() {
    scheduler_.run();
    if (!trouble_->empty())
      throw std::logic_error("test_system: " + std::exchange(*trouble_, {}));
  }

  /// Runs at most `turns_max` actors, one turn each. @returns whether some
  /// still have something to do
  bool step(std::size_t turns_max) {
    while (turns_max-- > 0 && scheduler_.try_run_once()) {
    }
    if (!trouble_->empty())
      throw std::logic_error("test_system: " + std::exchange(*trouble_, {}));
    return scheduler_.has_job();
  }

  /// Lets `span` pass and runs nothing; timers that are due become messages.
  void pass_time(caf::timespan span) { scheduler_.advance_time(span); }

  /// Fails the test, or a later `run` or `step`, when `actor` meets a message
  /// it does not handle or an exception. For actors spawned elsewhere.
  void guard(const caf::actor& actor) {
    watch(caf::actor_cast<caf::strong_actor_ptr>(actor));
  }

  /// Runs, then lets `span` pass in steps of at most `step` and runs after
  /// each, so that a timer that renews itself fires as often as it should.
  void advance_time(caf::timespan span,
                    caf::timespan step = std::chrono::milliseconds{50}) {
    run();
    while (span.count() > 0) {
      auto part = std::min(span, step);
      scheduler_.advance_time(part);
      run();
      span -= part;
    }
  }

private:
  static caf::actor_system_config make_config() {
    caf::actor_system_config result;
    result.set("scheduler.policy", caf::atom("testing"));
    return result;
  }

  static std::string type_names(const caf::type_erased_tuple& content) {
    std::string result;
    for (size_t i = 0; i < content.size(); ++i) {
      auto type = content.type(i).second;
      result +=
          type ? caf::detail::pretty_type_name(*type) : content.stringify(i);
      result += ' ';
    }
    return result;
  }

  void watch(const caf::strong_actor_ptr& handle) {
    actors_.push_back(caf::actor_cast<caf::actor_addr>(handle));
    auto self = dynamic_cast<caf::scheduled_actor*>(handle->get());
    if (self == nullptr)
      return;
    auto trouble = trouble_;
    self->set_default_handler(
        [=](caf::scheduled_actor* who, caf::message_view& x) {
          *trouble += std::string{who->name()} + " does not handle "
                      + type_names(x.content()) + "; ";
          return caf::result<caf::message>{caf::sec::unexpected_message};
        });
    self->set_exception_handler([=](std::exception_ptr& x) {
      try {
        std::rethrow_exception(x);
      } catch (const std::exception& e) {
        *trouble += std::string{"an actor threw: "} + e.what() + "; ";
      }
      return caf::error{caf::exit_reason::unhandled_exception};
    });
  }

  caf::actor_system_config config_ = make_config();
  caf::actor_system system_{config_};
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  caf::actor_clock::time_point started_ = scheduler_.clock().current_time;
  /// Every actor spawned here; weak, so that they may end on their own.
  std::vector<caf::actor_addr> actors_;
  /// What went wrong in actors since the last look. Shared, because an actor
  /// outlives this member when it ends with the system.
  std::shared_ptr<std::string> trouble_ = std::make_shared<std::string>();
};

} // namespace rookery
