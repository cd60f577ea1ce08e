// What the sender of an asynchronous message is told when it is lost, and only
// if it asked to be. Method: a hub without IO, whose part the test plays.
#include "bridge/caf/proxy.hpp"
#include "bridge/send_lost.hpp"
#include "tests/support/bridge_rig.hpp"
#include "tests/support/catch.hpp"

#include <caf/all.hpp>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::errc;
using bridge::send_lost;
using service::v1::PostTweetRequest;

namespace {

struct rig : tests::bridge_rig {
  explicit rig(bridge::send_options how, bridge::bridge_options options = {})
      : tests::bridge_rig{options},
        to{std::make_shared<bridge::destination>(3, "q", options.send_queue)},
        uut{caf::actor_cast<caf::actor>(
            bridge::make_local_proxy<rookery::bridge::proxy>(world.system(),
                                                             home, to, how))} {}

  void send(std::uint64_t author) {
    PostTweetRequest body;
    body.set_author(author);
    caf::send_as(sender.handle(), uut, body);
    world.run();
  }
  std::vector<amqp::outgoing> queued() {
    std::vector<amqp::outgoing> result;
    to->queue->take(to->queue->size(), result);
    return result;
  }
  std::vector<std::string> ids() {
    std::vector<std::string> result;
    for (const auto& x : take(*to->queue))
      result.push_back(x.message_id);
    return result;
  }
  const std::vector<send_lost>& told() {
    world.run();
    return sender.seen<send_lost>();
  }

  std::shared_ptr<bridge::destination> to;
  caf::actor uut;
  testing::recorder<send_lost> sender = world.spawn_recorder<send_lost>();
};

constexpr bridge::send_options telling{.tell_losses = true};

} // namespace

TEST_CASE("losses: a message that is not queued comes back with the reason",
          "[actors][proxy]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 1;
  rig r{telling, options};
  r.send(1);
  r.send(2);
  auto told = r.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == errc::queue_full);
  CHECK(told[0].to == caf::actor_cast<caf::strong_actor_ptr>(r.uut));
  REQUIRE(told[0].what.match_elements<PostTweetRequest>());
  CHECK(told[0].what.get_as<PostTweetRequest>(0).author() == 2);
}

TEST_CASE("losses: what makes room for a newer one comes back",
          "[actors][proxy]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 1;
  rig r{{.tell_losses = true, .when_full = bridge::overflow::drop_oldest},
        options};
  r.send(1);
  r.send(2);
  auto told = r.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == errc::queue_full);
  CHECK(told[0].what.get_as<PostTweetRequest>(0).author() == 1);
  CHECK(r.home->counters.snapshot().dropped == 1);
  CHECK(r.queued().size() == 1);
}

TEST_CASE("losses: a request that makes room is answered", "[actors][proxy]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 1;
  rig r{{.when_full = bridge::overflow::drop_oldest}, options};
  auto answer = r.world.start<void>(r.uut, PostTweetRequest{});
  CHECK_FALSE(answer.done());
  r.send(2);
  REQUIRE(answer.done());
  CHECK(answer.get().error() == errc::queue_full);
}

TEST_CASE("losses: a handle that drops is silent, but not to who waits",
          "[actors][proxy]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 1;
  rig r{{.tell_losses = true, .when_full = bridge::overflow::drop_newest},
        options};
  r.send(1);
  r.send(2);
  CHECK(r.told().empty());
  CHECK(r.home->counters.snapshot().dropped == 1);
  auto answer = r.world.ask<void>(r.uut, PostTweetRequest{});
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == errc::queue_full);
}

TEST_CASE("losses: who did not ask is told nothing", "[actors][proxy]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 1;
  rig r{{}, options};
  r.send(1);
  r.send(2);
  CHECK(r.told().empty());
  auto queued = r.queued();
  REQUIRE(queued.size() == 1);
  CHECK(queued[0].waiting == 0); // nothing is kept for it
}

TEST_CASE("losses: what is under way when the bridge stops may be lost",
          "[actors][proxy]") {
  rig r{telling};
  r.send(1);
  r.home->expire_waiting(bridge::hub::clock::now() + 1000h);
  CHECK(r.told().empty()); // its outcome has no deadline
  r.home->give_up_waiting();
  auto told = r.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == errc::closed);
  CHECK(told[0].what.match_elements<PostTweetRequest>());
}

TEST_CASE("losses: an outcome is what a stored message waits for",
          "[actors][proxy]") {
  rig r{telling};
  r.send(1);
  auto queued = r.queued();
  REQUIRE(queued.size() == 1);
  CHECK(queued[0].ends_stored);
  auto decoded = amqp::decode_message(queued[0].bytes)->to_envelope();
  CHECK(decoded.reply_to.empty());
  CHECK(r.home->take_waiting(queued[0].waiting));
}

TEST_CASE("losses: at level done the sender is told when nobody reports",
          "[actors][proxy]") {
  rig r{{.how = bridge::level::done, .tell_losses = true}};
  r.send(1);
  auto queued = r.queued();
  REQUIRE(queued.size() == 1);
  CHECK_FALSE(queued[0].ends_stored);
  r.home->expire_waiting(bridge::hub::clock::now() + 1h);
  auto told = r.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].why == errc::reply_timeout);
  CHECK(r.home->counters.snapshot().done_missing == 1);
}

TEST_CASE("losses: what finds no room takes no number", "[actors][proxy]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 1;
  rig r{{.when_full =
             GENERATE(bridge::overflow::fail, bridge::overflow::drop_newest)},
        options};
  for (std::uint64_t i = 1; i <= 10; ++i)
    r.send(i);
  CHECK_FALSE(r.world.ask<void>(r.uut, PostTweetRequest{}));
  CHECK(r.ids() == std::vector{r.home->stream + ".3-1"});
  r.send(11);
  CHECK(r.ids() == std::vector{r.home->stream + ".3-2"});
}

TEST_CASE("losses: what is refused for another reason takes no number",
          "[actors][proxy]") {
  bridge::bridge_options options;
  options.requests_max = 1;
  rig r{{}, options};
  auto first = r.world.start<void>(r.uut, PostTweetRequest{});
  auto answer = r.world.ask<void>(r.uut, PostTweetRequest{});
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == errc::too_many_requests);
  r.send(1);
  CHECK(r.ids()
        == std::vector{r.home->stream + ".3-1", r.home->stream + ".3-2"});
  r.to->queue->close();
  r.send(2);
  CHECK(r.home->counters.snapshot().closed == 1);
  CHECK(r.to->seq == 2);
}

TEST_CASE("proxy: a time to live is on the message and on the reply",
          "[actors][proxy]") {
  rig r{{.ttl = 1500ms}};
  const auto begin = r.home->world.now();
  r.send(1);
  auto queued = r.queued();
  REQUIRE(queued.size() == 1);
  CHECK(queued[0].expires >= begin + 1500ms);
  CHECK(queued[0].expires <= r.home->world.now() + 1500ms);
  CHECK(amqp::decode_message(queued[0].bytes)->to_envelope().ttl == 1500ms);
  auto answer = r.world.start<void>(r.uut, PostTweetRequest{});
  r.home->expire_waiting(begin + 1499ms);
  r.world.run();
  CHECK_FALSE(answer.done());
  r.home->expire_waiting(r.home->world.now() + 1500ms);
  r.world.run();
  REQUIRE(answer.done());
  CHECK(answer.get().error() == errc::reply_timeout);
}
