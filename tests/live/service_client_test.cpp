// Goal: a command waits for a queue that rejects what it asks until there is
// room. Method: a real broker whose queue is full. Every wait has a deadline;
// none is a sleep.
#include "nodes/client/service_client.hpp"

#include "nodes/wiring/service_types.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/loopback_broker.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <future>

using namespace rookery;
using namespace std::chrono_literals;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;

namespace {

caf::behavior writer(caf::event_based_actor*) {
  return {[](const PostTweetRequest&) { return PostTweetReply{}; }};
}

} // namespace

TEST_CASE("service client: waits for room in a queue that is full",
          "[live][client]") {
  tests::loopback_broker broker;
  const auto to = nodes::tweet_address(0, {});
  bridge::system_config config;
  caf::actor_system system{config};
  bridge::bridge_options options;
  options.node_name = "writer";
  options.brokers = {{"127.0.0.1", broker.port()}};
  bridge::bridge node{system, nodes::service_types(), options};
  const bridge::queue_declaration full{.name = to.name(), .length_max = 1};
  node.declare(full);
  REQUIRE(!node.wait_until_up(20s));
  const auto until = [&](auto done) {
    for (const auto end = std::chrono::steady_clock::now() + 20s;
         std::chrono::steady_clock::now() < end;)
      if (done(broker.counters()))
        return true;
    return false;
  };
  for (int i = 0; i < 5; ++i)
    caf::anon_send(node.proxy(to), PostTweetRequest{});
  std::uint64_t rejected = 0;
  REQUIRE(until([&](const auto& x) {
    rejected = x.messages_rejected;
    return rejected > 0 && x.messages_in == 5;
  }));

  nodes::service_client client{
      {.brokers = options.brokers, .timeout = std::chrono::seconds{30}}};
  REQUIRE(!client.connect());
  auto reply = std::async(std::launch::async, [&] {
    return client.ask<PostTweetReply>(to, PostTweetRequest{});
  });
  CHECK(
      until([&](const auto& x) { return x.messages_rejected > rejected + 1; }));
  node.serve(to, system.spawn(writer), {.queue = full});
  REQUIRE(reply.wait_for(60s) == std::future_status::ready);
  const auto result = reply.get();
  INFO((result ? "" : result.error()));
  CHECK(result);
  node.stop(5s);
}
