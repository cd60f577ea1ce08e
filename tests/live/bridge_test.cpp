// Two nodes and a broker over real sockets, in one process. Goal: what the
// bridge promises holds with real threads and a broker that comes and goes.
// Every wait has a deadline; none is a sleep.
#include "bridge/bridge.hpp"

#include "bridge/system_config.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/loopback_broker.hpp"

#include "rookery/service/v1/log.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::errc;
using service::v1::LogHead;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using service::v1::Tweet;

namespace {

const auto queue = address::queue("target");

// One node: an actor system and its bridge.
struct node {
  node(const std::string& name, std::uint16_t port,
       bridge::bridge_options options = {}) {
    bridge::type_registry types;
    types.add<PostTweetRequest>().add<PostTweetReply>().add<LogHead>();
    options.node_name = name;
    options.brokers = {{"127.0.0.1", port}};
    options.reconnect.delay_max = 200ms;
    link.emplace(system, types, options);
  }
  ~node() { link->stop(2s); }

  bridge::system_config config;
  caf::actor_system system{config};
  std::optional<bridge::bridge> link;
};

// What several targets have seen, together.
class tally {
public:
  void add(std::uint64_t x) {
    std::lock_guard guard{mutex_};
    ++times_[x];
    changed_.notify_all();
  }
  bool wait_for(std::size_t count, std::chrono::seconds timeout) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, timeout,
                             [&] { return times_.size() == count; });
  }
  std::size_t doubled() {
    std::lock_guard guard{mutex_};
    std::size_t result = 0;
    for (const auto& [x, times] : times_)
      result += times > 1 ? 1 : 0;
    return result;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, int> times_;
};

PostTweetRequest request(std::uint64_t author) {
  PostTweetRequest result;
  result.set_author(author);
  return result;
}

// Answers with author + 1; refuses author 0.
caf::behavior successor() {
  return {
      [](const PostTweetRequest& x) -> caf::result<PostTweetReply> {
        if (x.author() == 0)
          return caf::make_error(errc::rejected, "zero");
        PostTweetReply result;
        result.set_tweet_id(x.author() + 1);
        return result;
      },
  };
}

caf::expected<PostTweetReply> ask(node& from, const caf::actor& to,
                                  const PostTweetRequest& what) {
  caf::scoped_actor self{from.system};
  caf::expected<PostTweetReply> result{caf::sec::none};
  self->request(to, 10s, what)
      .receive([&](PostTweetReply& x) { result = std::move(x); },
               [&](caf::error& x) { result = std::move(x); });
  return result;
}

} // namespace

TEST_CASE("bridge: a request to another node is answered", "[live][bridge]") {
  tests::loopback_broker broker;
  node server{"server", broker.port()};
  node client{"client", broker.port()};
  server.link->serve(queue, server.system.spawn(successor));
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  auto answer = ask(client, client.link->proxy(queue), request(41));
  REQUIRE(answer);
  CHECK(answer->tweet_id() == 42);
}

TEST_CASE("bridge: an error comes back with its code and its words",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node server{"server", broker.port()};
  node client{"client", broker.port()};
  server.link->serve(queue, server.system.spawn(successor));
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  auto answer = ask(client, client.link->proxy(queue), request(0));
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == errc::rejected);
  CHECK(answer.error().context().get_as<std::string>(0) == "zero");
}

TEST_CASE("bridge: a type the receiver does not know gets a typed error",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node server{"server", broker.port()};
  server.link->serve(queue, server.system.spawn(successor));
  REQUIRE_FALSE(server.link->wait_until_up(10s));

  bridge::system_config config;
  caf::actor_system system{config};
  bridge::type_registry types;
  types.add<Tweet>();
  bridge::bridge_options options;
  options.brokers = {{"127.0.0.1", broker.port()}};
  bridge::bridge client{system, types, options};
  caf::scoped_actor self{system};
  caf::error seen;
  self->request(client.proxy(queue), 10s, Tweet{})
      .receive([] { FAIL("an answer"); }, [&](caf::error& x) { seen = x; });
  CHECK(seen == errc::unknown_type);
}

TEST_CASE("bridge: a request to an address nobody serves is unroutable",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node client{"client", broker.port()};
  auto answer =
      ask(client, client.link->proxy(address::queue("nowhere")), request(1));
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == errc::unroutable);
}

TEST_CASE("bridge: ten thousand sends arrive once each and in order",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node server{"server", broker.port()};
  node client{"client", broker.port()};
  constexpr std::uint64_t count = 10'000;
  caf::scoped_actor self{server.system};
  auto sink = server.system.spawn(
      [=, last = std::uint64_t{0},
       report = caf::actor{self}](caf::event_based_actor* me) mutable {
        return caf::behavior{[=](const LogHead& x) mutable {
          if (x.seq() != ++last)
            me->send(report, false);
          if (x.seq() == count)
            me->send(report, true);
        }};
      });
  bridge::serve_options options;
  options.window = 16;
  server.link->serve(queue, sink, options);
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  auto proxy = client.link->proxy(queue);
  std::uint64_t refused = 0;
  for (std::uint64_t i = 1; i <= count; ++i) {
    LogHead head;
    head.set_seq(i);
    // The send queue is bounded: wait for a place by asking again.
    refused = client.link->counters().queue_full;
    do {
      refused = client.link->counters().queue_full;
      caf::anon_send(proxy, head);
    } while (client.link->counters().queue_full != refused);
  }
  bool in_order = false;
  self->receive([&](bool x) { in_order = x; },
                caf::after(60s) >> [] { FAIL("not all arrived"); });
  CHECK(in_order);
}

TEST_CASE("bridge: a broker that comes back empty is told everything again",
          "[live][bridge]") {
  std::optional<tests::loopback_broker> broker;
  broker.emplace();
  auto port = broker->port();
  node server{"server", port};
  node client{"client", port};
  server.link->serve(queue, server.system.spawn(successor));
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  auto proxy = client.link->proxy(queue);
  REQUIRE(ask(client, proxy, request(1)));
  broker.reset();
  broker.emplace(port);
  // Until both are back, requests end in errors, never in silence.
  auto deadline = std::chrono::steady_clock::now() + 20s;
  caf::expected<PostTweetReply> answer{caf::sec::none};
  do {
    answer = ask(client, proxy, request(5));
  } while (!answer && std::chrono::steady_clock::now() < deadline);
  REQUIRE(answer);
  CHECK(answer->tweet_id() == 6);
  CHECK(client.link->counters().reconnects == 1);
}

TEST_CASE("bridge: a broker that is down is told in time and in words",
          "[live][bridge]") {
  std::uint16_t port = 0;
  {
    tests::loopback_broker gone;
    port = gone.port();
  }
  node client{"client", port};
  auto error = client.link->wait_until_up(500ms);
  CHECK(error == errc::unreachable);
  CHECK(client.system.render(error).find("Connection refused")
        != std::string::npos);
}

TEST_CASE("bridge: a declaration that differs is refused by name",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node first{"first", broker.port()};
  first.link->declare(bridge::queue_declaration{.name = "q"});
  REQUIRE_FALSE(first.link->wait_until_up(10s));
  node second{"second", broker.port()};
  second.link->declare(
      bridge::queue_declaration{.name = "q", .single_active_consumer = true});
  auto error = second.link->wait_until_up(10s);
  CHECK(error == errc::refused);
  CHECK(second.system.render(error).find("queue q") != std::string::npos);
}

TEST_CASE("bridge: a planned stop hands over without losing or doubling",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node client{"client", broker.port()};
  tally seen;
  auto counting = [&seen]() -> caf::behavior {
    return {[&seen](const LogHead& x) { seen.add(x.seq()); }};
  };
  node first{"first", broker.port()};
  first.link->serve(queue, first.system.spawn(counting));
  REQUIRE_FALSE(first.link->wait_until_up(10s));
  node second{"second", broker.port()};
  bridge::serve_options standby;
  standby.priority = -1;
  second.link->serve(queue, second.system.spawn(counting), standby);
  REQUIRE_FALSE(second.link->wait_until_up(10s));
  auto proxy = client.link->proxy(queue);
  constexpr std::uint64_t count = 4'000;
  for (std::uint64_t i = 1; i <= count; ++i) {
    LogHead head;
    head.set_seq(i);
    caf::anon_send(proxy, head);
    if (i == count / 2)
      CHECK(first.link->stop(10s) == 0);
  }
  CHECK(seen.wait_for(count, 30s));
  CHECK(seen.doubled() == 0);
}

TEST_CASE("bridge: a send of level done is done when its handler is",
          "[live][bridge]") {
  tests::loopback_broker broker;
  bridge::bridge_options impatient;
  impatient.reply_timeout = 2s;
  node server{"server", broker.port()};
  node client{"client", broker.port(), impatient};
  auto promise = std::make_shared<caf::response_promise>();
  tally seen;
  auto held =
      server.system.spawn([&seen, promise](caf::event_based_actor* self) {
        return caf::behavior{[=, &seen](const LogHead& x) -> caf::result<void> {
          seen.add(x.seq());
          if (x.seq() == 1)
            return caf::unit;
          if (x.seq() == 2)
            return caf::make_error(errc::failed, "two");
          *promise = self->make_response_promise();
          return *promise;
        }};
      });
  server.link->serve(queue, held);
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  auto proxy = client.link->proxy(queue, bridge::level::done);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    LogHead head;
    head.set_seq(i);
    caf::anon_send(proxy, head);
  }
  REQUIRE(seen.wait_for(3, 10s));
  // The third has no end: the client counts it as missing after its timeout.
  auto deadline = std::chrono::steady_clock::now() + 20s;
  while (client.link->counters().done_missing == 0
         && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  auto counters = client.link->counters();
  CHECK(counters.sent == 3);
  CHECK(counters.done == 1);
  CHECK(counters.failed == 1);
  CHECK(counters.done_missing == 1);
  caf::anon_send_exit(held, caf::exit_reason::kill);
}

TEST_CASE("bridge: a queue that goes and comes back has its senders back",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node client{"client", broker.port()};
  auto proxy = client.link->proxy(queue);
  bridge::serve_options options;
  options.queue->replicated = false;
  options.queue->auto_delete = true;
  for (int i = 0; i < 3; ++i) {
    node server{"server", broker.port()};
    server.link->serve(queue, server.system.spawn(successor), options);
    REQUIRE_FALSE(server.link->wait_until_up(10s));
    auto deadline = std::chrono::steady_clock::now() + 10s;
    caf::expected<PostTweetReply> answer{caf::sec::none};
    do {
      answer = ask(client, proxy, request(5));
    } while (!answer && std::chrono::steady_clock::now() < deadline);
    CHECK(answer);
  } // with the server its queue goes
  auto answer = ask(client, proxy, request(5));
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == errc::unroutable);
  CHECK(client.link->counters().reconnects == 0);
}

TEST_CASE("bridge: a stopped bridge refuses at once, also what it made later",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node client{"client", broker.port()};
  auto before = client.link->proxy(queue);
  client.link->stop(5s);
  for (const auto& proxy :
       {before, client.link->proxy(address::queue("other"))}) {
    auto answer = ask(client, proxy, request(1));
    REQUIRE_FALSE(answer);
    CHECK(answer.error() == errc::closed);
  }
  CHECK(client.link->wait_until_up(1s) == errc::closed);
}

TEST_CASE("bridge: adding to a bridge that is up is no reconnect",
          "[live][bridge]") {
  tests::loopback_broker broker;
  node server{"server", broker.port()};
  for (auto name : {"a", "b", "c"}) {
    server.link->serve(address::queue(name), server.system.spawn(successor));
    REQUIRE_FALSE(server.link->wait_until_up(10s));
  }
  CHECK(server.link->counters().reconnects == 0);
  // Twice one address: two consumers.
  server.link->serve(address::queue("a"), server.system.spawn(successor));
  REQUIRE_FALSE(server.link->wait_until_up(10s));
  node client{"client", broker.port()};
  auto proxy = client.link->proxy(address::queue("a"));
  for (std::uint64_t i = 1; i < 10; ++i)
    CHECK(ask(client, proxy, request(i)));
}

TEST_CASE("bridge: the longest timeouts are no short ones", "[live][bridge]") {
  constexpr auto never = std::chrono::milliseconds::max();
  tests::loopback_broker broker;
  bridge::bridge_options options;
  for (auto* time : {&options.open_timeout, &options.outcome_timeout,
                     &options.reply_timeout, &options.peer_timeout})
    *time = never;
  node server{"server", broker.port()};
  node client{"client", broker.port(), options};
  server.link->serve(queue, server.system.spawn(successor));
  CHECK_FALSE(server.link->wait_until_up(never));
  CHECK_FALSE(client.link->wait_until_up(never));
  CHECK(ask(client, client.link->proxy(queue), request(1)));
  CHECK(client.link->stop(never) == 0);
}

TEST_CASE("bridge: who waits for a connection hears that the bridge stopped",
          "[live][bridge]") {
  node client{"client", 1}; // nobody listens there
  auto waits = std::async(std::launch::async,
                          [&] { return client.link->wait_until_up(60s); });
  REQUIRE(waits.wait_for(300ms) == std::future_status::timeout);
  client.link->stop(0s);
  REQUIRE(waits.wait_for(10s) == std::future_status::ready);
  CHECK(waits.get() == errc::closed);
}
