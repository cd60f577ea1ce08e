// What a proxy does with what it is sent: one envelope in the send queue, and
// an error for every request that cannot be. Method: a hub without IO.
#include "bridge/caf/proxy.hpp"

#include "tests/support/bridge_rig.hpp"
#include "tests/support/catch.hpp"

#include <caf/all.hpp>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::errc;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;

namespace {

struct rig : tests::bridge_rig {
  explicit rig(bridge::bridge_options options = {})
      : tests::bridge_rig{options},
        to{std::make_shared<bridge::destination>(3, "q", options.send_queue)} {}

  caf::actor proxy(bridge::level how = bridge::level::stored) {
    return caf::actor_cast<caf::actor>(
        bridge::make_local_proxy<rookery::bridge::proxy>(
            world.system(), home, to, bridge::send_options{how}));
  }
  std::vector<bridge::envelope> sent() { return take(*to->queue); }

  std::shared_ptr<bridge::destination> to;
};

PostTweetRequest request(std::uint64_t author) {
  PostTweetRequest result;
  result.set_author(author);
  return result;
}

} // namespace

TEST_CASE("proxy: a send becomes one envelope, numbered in order",
          "[actors][proxy]") {
  rig r;
  auto uut = r.proxy();
  caf::anon_send(uut, request(1));
  caf::anon_send(uut, request(2));
  auto sent = r.sent();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].type == "rookery.service.v1.PostTweetRequest");
  CHECK(sent[0].content_type == "application/protobuf");
  CHECK(sent[0].message_id == r.home->stream + ".3-1");
  CHECK(sent[1].message_id == r.home->stream + ".3-2");
  CHECK(sent[0].reply_to.empty());
  PostTweetRequest body;
  REQUIRE(body.ParseFromString(sent[1].body));
  CHECK(body.author() == 2);
}

TEST_CASE("proxy: a request asks for its reply at this node's queue",
          "[actors][proxy]") {
  rig r;
  auto answer = r.world.start<PostTweetReply>(r.proxy(), request(1));
  auto sent = r.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].reply_to == r.home->reply_to);
  auto who = r.home->take_waiting(
      bridge::number_in_node(sent[0].message_id, r.home->stream));
  REQUIRE(who);
  bridge::fail(*who, caf::make_error(errc::failed, "as the test says"));
  r.world.run();
  REQUIRE_FALSE(answer.get());
  CHECK(answer.get().error() == errc::failed);
}

TEST_CASE("proxy: a full send queue refuses requests and counts sends",
          "[actors][proxy]") {
  bridge::bridge_options options;
  options.send_queue.messages_max = 1;
  rig r{options};
  auto uut = r.proxy();
  caf::anon_send(uut, request(1));
  caf::anon_send(uut, request(2));
  CHECK(r.home->counters.snapshot().queue_full == 1);
  auto answer = r.world.ask<PostTweetReply>(uut, request(3));
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == errc::queue_full);
  CHECK(r.sent().size() == 1);
}

TEST_CASE("proxy: what is not a registered message is refused",
          "[actors][proxy]") {
  rig r;
  auto uut = r.proxy();
  auto answer = r.world.ask<PostTweetReply>(uut, service::v1::Tweet{});
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == errc::unknown_type);
  caf::anon_send(uut, std::string{"text"});
  CHECK(r.home->counters.snapshot().unencodable == 2);
  CHECK(r.sent().empty());
}

TEST_CASE("proxy: too long a message is refused", "[actors][proxy]") {
  bridge::bridge_options options;
  options.message_bytes_max = 10;
  rig r{options};
  auto long_one = request(1);
  long_one.set_text("more than ten bytes");
  auto answer = r.world.ask<PostTweetReply>(r.proxy(), long_one);
  REQUIRE_FALSE(answer);
  CHECK(answer.error() == errc::too_long);
}

TEST_CASE("proxy: too many requests without a reply are refused",
          "[actors][proxy]") {
  bridge::bridge_options options;
  options.requests_max = 1;
  rig r{options};
  auto first = r.world.start<PostTweetReply>(r.proxy(), request(1));
  auto second = r.world.ask<PostTweetReply>(r.proxy(), request(2));
  CHECK_FALSE(first.done());
  REQUIRE_FALSE(second);
  CHECK(second.error() == errc::too_many_requests);
  r.home->expire_waiting(bridge::hub::clock::now() + 1h);
  r.world.run();
  REQUIRE(first.done());
  CHECK(first.get().error() == errc::reply_timeout);
}

TEST_CASE("proxy: level fire is settled before it is sent", "[actors][proxy]") {
  rig r;
  caf::anon_send(r.proxy(bridge::level::fire), request(1));
  std::vector<amqp::outgoing> items;
  r.to->queue->take(10, items);
  REQUIRE(items.size() == 1);
  CHECK(items[0].presettled);
}

TEST_CASE("proxy: level done counts what nobody reports as finished",
          "[actors][proxy]") {
  rig r;
  caf::anon_send(r.proxy(bridge::level::done), request(1));
  auto sent = r.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].reply_to == r.home->reply_to);
  r.home->expire_waiting(bridge::hub::clock::now() + 1h);
  CHECK(r.home->counters.snapshot().done_missing == 1);
}

TEST_CASE("proxy: CAF's own signals stay at home", "[actors][proxy]") {
  rig r;
  caf::anon_send_exit(r.proxy(), caf::exit_reason::kill);
  CHECK(r.sent().empty());
  CHECK(r.home->counters.snapshot().unencodable == 0);
}

TEST_CASE("request numbers: only ids of this node have one",
          "[actors][proxy]") {
  CHECK(bridge::number_in_node("abc.2-5", "abc")
        == bridge::number_in_node(2, 5));
  CHECK(bridge::number_in_node("abd.2-5", "abc") == 0);
  CHECK(bridge::number_in_node("abc", "abc") == 0);
  CHECK(bridge::number_in_node("abc.2-", "abc") == 0);
  CHECK(bridge::number_in_node("abc.-", "abc") == 0);
  CHECK(bridge::number_in_node("abc.2-5x", "abc") == 0);
}

TEST_CASE("proxy: a stopping bridge answers requests that wait",
          "[actors][proxy]") {
  rig r;
  auto uut = r.proxy();
  auto waiting = r.world.start<PostTweetReply>(uut, request(1));
  r.to->queue->close();
  r.home->give_up_waiting();
  r.world.run();
  REQUIRE(waiting.done());
  CHECK(waiting.get().error() == errc::closed);
  auto late = r.world.ask<PostTweetReply>(uut, request(2));
  REQUIRE_FALSE(late);
  CHECK(late.error() == errc::closed);
}
