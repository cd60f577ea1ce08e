// Goal: the IO thread measures every time of the bridge with the bridge's
// clock, which on a machine that has slept is ahead of the steady one. Method:
// two bridges over real sockets whose clock is an hour ahead. Every wait has a
// deadline; none is a sleep.
#include "bridge/bridge.hpp"
#include "bridge/environment.hpp"
#include "bridge/system_config.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/loopback_broker.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::errc;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr auto deadline = 20s;

struct node {
  node(caf::actor_system& system, const std::string& name, std::uint16_t port)
      : link{system, types(), options(name, port), nullptr, world()} {}
  ~node() { link.stop(2s); }

  static bridge::type_registry types() {
    bridge::type_registry result;
    result.add<PostTweetRequest>().add<PostTweetReply>();
    return result;
  }
  static bridge::bridge_options options(const std::string& name,
                                        std::uint16_t port) {
    bridge::bridge_options result;
    result.node_name = name;
    result.brokers = {{"127.0.0.1", port}};
    result.idle_timeout = 1s;
    return result;
  }
  static bridge::environment world() {
    auto result = bridge::machine();
    result.now = [] { return clock_type::now() + 1h; };
    return result;
  }

  bridge::bridge link;
};

caf::behavior target(caf::event_based_actor*) {
  return {[](const PostTweetRequest&) { return PostTweetReply{}; }};
}

caf::error ask(caf::actor_system& system, const caf::actor& whom) {
  caf::error result;
  caf::scoped_actor self{system};
  self->request(whom, deadline, PostTweetRequest{})
      .receive([](const PostTweetReply&) {},
               [&](caf::error& x) { result = std::move(x); });
  return result;
}

} // namespace

TEST_CASE("bridge clock: an hour ahead of the steady one, all goes well",
          "[live][bridge]") {
  tests::loopback_broker broker;
  bridge::system_config config;
  caf::actor_system system{config};
  node server{system, "server", broker.port()};
  node client{system, "client", broker.port()};
  server.link.serve(address::queue("early"), system.spawn(target));
  REQUIRE(!server.link.wait_until_up(deadline));
  REQUIRE(!client.link.wait_until_up(deadline));

  // For longer than a silent broker is trusted.
  const auto to = client.link.proxy(address::queue("early"), {.ttl = 10s});
  for (const auto end = clock_type::now() + 2'500ms; clock_type::now() < end;) {
    CHECK(!ask(system, to));
    CHECK(server.link.lease_held());
    CHECK(client.link.lease_held());
  }

  // A queue that was missing is looked for again.
  const auto later = client.link.proxy(address::queue("later"));
  CHECK(ask(system, later) == errc::unroutable);
  server.link.serve(address::queue("later"), system.spawn(target));
  auto why = ask(system, later);
  for (const auto end = clock_type::now() + deadline;
       why == errc::unroutable && clock_type::now() < end;)
    why = ask(system, later);
  CHECK(!why);

  for (const auto* x : {&server, &client}) {
    const auto counters = x->link.counters();
    CHECK(counters.reconnects == 0);
    CHECK(counters.expired == 0);
    CHECK(counters.deliveries_expired == 0);
    CHECK(counters.unanswered == 0);
  }
  CHECK(client.link.stop(5s) == 0);
  CHECK(server.link.stop(5s) == 0);
}
