// Goal: with real threads, too, only the message on which an actor threw has
// failed, and its neighbours are handled once each, in order; and an actor that
// was asked to end has not failed on anything.
// Method: a window full of messages, the first of which is poison; the IO
// thread's part is played by the test. TSan watches.
#include "bridge/caf/served_address.hpp"
#include "bridge/system_config.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/parked.hpp"
#include "tests/support/serving_rig.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::outcome;
using service::v1::PostTweetRequest;

namespace {

constexpr std::uint64_t window = 256;

// What the targets of one address have seen.
struct record {
  bool ask_to_end = false; // instead of throwing, and once
  std::mutex mutex;
  std::vector<std::uint64_t> seen;

  /// @returns how many there are now
  std::size_t add(std::uint64_t x) {
    std::lock_guard guard{mutex};
    seen.push_back(x);
    return seen.size();
  }
};

caf::behavior target(caf::event_based_actor* self, record* seen) {
  self->set_exception_handler(
      [](caf::scheduled_actor*, std::exception_ptr&) -> caf::error {
        return caf::exit_reason::unhandled_exception;
      });
  return {[=](const PostTweetRequest& x) -> caf::result<void> {
    if (x.author() == 1 && !seen->ask_to_end)
      throw std::runtime_error{"poison"};
    if (seen->add(x.author()) > 1 || x.author() != 1)
      return caf::unit;
    self->quit(caf::exit_reason::user_shutdown);
    return self->make_response_promise();
  }};
}

std::string message(std::uint64_t author) {
  PostTweetRequest body;
  body.set_author(author);
  bridge::envelope head;
  head.message_id = "0123456789abcdef.0-" + std::to_string(author);
  return bridge::encode(head, body);
}

// How each of a window of messages ended.
std::map<std::uint64_t, outcome> ends(caf::actor_system& system, record& seen) {
  bridge::type_registry types;
  types.add<PostTweetRequest>();
  auto home = std::make_shared<bridge::hub>(
      system, types, bridge::bridge_options{}, nullptr, bridge::machine());
  home->settlements.add_window(window);
  const auto begin = home->world.now();
  home->lease.extend(begin + 1h);
  bridge::serve_options options;
  options.retry.attempts_max = 1;
  bool ready = false; // until then there is no target, and all wait
  auto make = [&]() -> caf::actor {
    return ready ? system.spawn(target, &seen) : caf::actor{};
  };
  auto served = bridge::make_local_proxy<bridge::served_address>(
      system, home, std::string{"q"}, options, caf::actor{},
      std::function<caf::actor()>{make});
  auto& uut = *static_cast<bridge::served_address*>(served->get());
  uut.start();
  for (std::uint64_t i = 1; i <= window; ++i)
    uut.deliver(i, message(i), begin);
  ready = true;
  std::map<std::uint64_t, outcome> result;
  std::vector<bridge::settlement> batch;
  // Not so far ahead that one is overdue: the next target is due in 10 s.
  while (result.size() < window && home->world.now() < begin + 30s) {
    static_cast<void>(uut.check(home->world.now() + 20s));
    home->settlements.take(batch);
    for (const auto& x : batch)
      CHECK(result.emplace(x.delivery, x.result).second);
    std::this_thread::yield();
  }
  uut.release();
  return result;
}

} // namespace

TEST_CASE("threads: who was in the mailbox of an actor that threw goes on",
          "[actors][served_address]") {
  bridge::system_config config;
  config.set("scheduler.max-threads", 2);
  caf::actor_system system{config};
  for (int round = 0; round < 50; ++round) {
    record seen;
    auto how = ends(system, seen);
    REQUIRE(how.size() == window);
    CHECK(tests::is_parked(how[1]));
    for (std::uint64_t i = 2; i <= window; ++i)
      CHECK(how[i] == outcome::accepted());
    CHECK(seen.seen.size() == window - 1);
    CHECK(std::is_sorted(seen.seen.begin(), seen.seen.end()));
  }
}

TEST_CASE("threads: who was asked to end has failed on nothing",
          "[actors][served_address]") {
  bridge::system_config config;
  config.set("scheduler.max-threads", 2);
  caf::actor_system system{config};
  for (int round = 0; round < 50; ++round) {
    record seen;
    seen.ask_to_end = true;
    auto how = ends(system, seen);
    REQUIRE(how.size() == window);
    for (std::uint64_t i = 1; i <= window; ++i)
      CHECK(how[i] == outcome::accepted());
    CHECK(seen.seen.size() == window + 1); // the first twice
  }
}
