// Goal: messages that find no room wait in a file and lose neither their order
// nor one of them, with real threads that send, a worker that writes, and a
// broker that goes and comes back. Every wait has a deadline; none is a sleep.
#include "bridge/bridge.hpp"
#include "bridge/spill/spill_file.hpp"
#include "bridge/system_config.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/loopback_broker.hpp"
#include "tests/support/temp_directory.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <future>
#include <optional>
#include <thread>
#include <vector>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using service::v1::PostTweetRequest;

namespace {

const auto queue = address::queue("target");
constexpr std::uint64_t senders = 4;
constexpr std::uint64_t each = 2'000;

bridge::bridge_options options(const std::string& name, std::uint16_t port) {
  bridge::bridge_options result;
  result.node_name = name;
  result.brokers = {{"127.0.0.1", port}};
  result.reconnect.delay_max = 200ms;
  result.send_queue.messages_max = 64;
  return result;
}

bridge::type_registry types() {
  bridge::type_registry result;
  result.add<PostTweetRequest>();
  return result;
}

struct seen_state {
  std::vector<std::uint64_t> last = std::vector<std::uint64_t>(senders, 0);
  std::uint64_t count = 0;
  bool in_order = true;
};

// Tells, when all came, whether each sender's came in order.
caf::behavior sink(caf::stateful_actor<seen_state>* self,
                   std::shared_ptr<std::promise<bool>> all) {
  return {[=](const PostTweetRequest& x) {
    auto& state = self->state;
    auto& last = state.last.at(x.author() / each);
    const auto number = x.author() % each + 1;
    state.in_order = state.in_order && number == last + 1;
    last = number;
    if (++state.count == senders * each)
      all->set_value(state.in_order);
  }};
}

// Holds the IO thread up once, when there is no broker.
struct slow_observer final : bridge::observer {
  void on_event(severity, std::string_view name,
                std::string_view) noexcept override {
    if (name != "broker-unreachable" || std::exchange(held_up, true))
      return;
    reached.set_value();
    std::promise<void> never;
    never.get_future().wait_for(1s);
  }
  bool held_up = false; // of the IO thread
  std::promise<void> reached;
};

} // namespace

TEST_CASE("spill: many threads, and a broker that is away", "[live][spill]") {
  temp_directory directory;
  std::optional<tests::loopback_broker> broker{std::in_place};
  const auto port = broker->port();
  bridge::system_config config;
  caf::actor_system system{config};

  bridge::bridge receiver{system, types(), options("receiver", port)};
  auto all = std::make_shared<std::promise<bool>>();
  receiver.serve(queue, system.spawn(sink, all));
  auto how = options("sender", port);
  auto file = bridge::open_spill({.file = directory.path() / "sender.spill",
                                  .messages_in_memory_max = 16});
  REQUIRE(file);
  how.spill = *file;
  bridge::bridge sender{system, types(), how};
  sender.declare(bridge::queue_declaration{.name = queue.name()});
  REQUIRE(!sender.wait_until_up(10s));

  broker.reset();
  const auto to = sender.proxy(queue, {.when_full = bridge::overflow::spill});
  std::vector<std::thread> threads;
  for (std::uint64_t who = 0; who < senders; ++who)
    threads.emplace_back([=] {
      PostTweetRequest message;
      for (std::uint64_t i = 0; i < each; ++i) {
        message.set_author(who * each + i);
        caf::anon_send(to, message);
      }
    });
  for (auto& x : threads)
    x.join();
  CHECK(sender.counters().spilled > 0);
  CHECK(sender.counters().queue_full == 0);

  broker.emplace(port);
  auto done = all->get_future();
  REQUIRE(done.wait_for(60s) == std::future_status::ready);
  CHECK(done.get());
  CHECK(sender.stop(5s) == 0);
  CHECK(sender.counters().spilled == 0);
  receiver.stop(5s);
}

TEST_CASE("spill: what a bridge had not begun to send when it stopped",
          "[live][spill]") {
  temp_directory directory;
  const bridge::spill_options where{.file = directory.path() / "a.spill"};
  bridge::system_config config;
  caf::actor_system system{config};
  auto how = options("sender", 1);
  auto file = bridge::open_spill(where);
  REQUIRE(file);
  how.spill = std::move(*file);
  auto watcher = std::make_shared<slow_observer>();
  bridge::bridge sender{system, types(), std::move(how), watcher};
  REQUIRE(watcher->reached.get_future().wait_for(10s)
          == std::future_status::ready);
  const auto to = sender.proxy(queue, {.when_full = bridge::overflow::spill});
  for (int i = 0; i < 10; ++i)
    caf::anon_send(to, PostTweetRequest{});
  sender.stop(0s);
  auto left = bridge::spill_file::open(where);
  REQUIRE(left);
  REQUIRE((*left)->found().size() == 1);
  CHECK((*left)->found()[0].messages == 10);
}

TEST_CASE("spill: a bridge that is destroyed without stop lets go of the file",
          "[live][spill]") {
  temp_directory directory;
  const bridge::spill_options where{.file = directory.path() / "a.spill",
                                    .messages_in_memory_max = 0};
  bridge::system_config config;
  caf::actor_system system{config};
  caf::actor to; // keeps what the bridge shares with its handles
  {
    auto how = options("sender", 1);
    auto file = bridge::open_spill(where);
    REQUIRE(file);
    how.spill = std::move(*file);
    bridge::bridge sender{system, types(), std::move(how)};
    to = sender.proxy(queue, {.when_full = bridge::overflow::spill});
    caf::anon_send(to, PostTweetRequest{});
    CHECK(!bridge::open_spill(where));
  }
  CHECK(bridge::open_spill(where));
}
