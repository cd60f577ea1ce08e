// Goal: a bridge that stops, or is hindered, does what it says. Method: nodes
// and the real broker in virtual time, hooks that send and throw, long
// timeouts.
#include "testing/cluster.hpp"
#include "tests/support/catch.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <optional>
#include <vector>

using namespace rookery;
using namespace std::chrono_literals;
using service::v1::PostTweetRequest;
using testing::node;

namespace {

constexpr auto never = std::chrono::milliseconds::max();

/// A node that serves "q" with an actor that keeps promises, and sends there.
struct stopping_node {
  stopping_node() {
    c.messages<PostTweetRequest>();
    uut = &c.add_node("node", [this](node& self) {
      self.serve(
          "q",
          [this, &self] {
            return self.system().spawn([this](caf::event_based_actor* actor) {
              return caf::behavior{[this, actor](const PostTweetRequest&) {
                kept.push_back(actor->make_response_promise());
                return kept.back();
              }};
            });
          },
          {.handler_timeout = never});
    });
    c.run(1s);
  }
  ~stopping_node() {
    kept.clear();
    uut->crash(); // it holds this
  }
  void send() { caf::anon_send(uut->proxy("q"), PostTweetRequest{}); }
  void stop(std::chrono::milliseconds timeout) {
    uut->execute([=, this] {
      uut->network().stop(timeout, [this](std::size_t x) { left = x; });
    });
  }

  testing::cluster c{1};
  node* uut = nullptr;
  std::vector<caf::response_promise> kept;
  std::optional<std::size_t> left; // what the stop left
};

} // namespace

TEST_CASE("stop: a message that comes while the connection closes is counted",
          "[bridge][stop]") {
  stopping_node p;
  p.uut->network().on_down([&] {
    if (p.uut->up())
      p.send();
  });
  p.stop(1s);
  p.c.run(5s);
  CHECK(p.left == 0U);
  CHECK(p.uut->network().counters().closed == 1);
}

TEST_CASE("stop: what could not be sent is counted, also if nobody asked",
          "[bridge][stop]") {
  stopping_node p;
  p.c.broker().crash();
  p.c.run(1s);
  p.uut->execute([&] {
    for (int i = 0; i < 5; ++i)
      p.send();
  });
  p.stop(1s);
  p.c.run(5s);
  CHECK(p.left == 5U);
  CHECK(p.uut->network().counters().closed == 5);
}

TEST_CASE(
    "stop: what was counted as lost is not counted again when its outcome "
    "comes after all",
    "[bridge][stop]") {
  stopping_node p;
  const auto losses = GENERATE(false, true); // are told to the sender
  INFO("losses told: " << losses);
  p.uut->execute([&] { p.send(); }); // makes the link
  p.c.run(1s);
  REQUIRE(p.kept.size() == 1);
  p.uut->execute([&] { p.kept[0].deliver(caf::unit); });
  p.c.run(1s);
  REQUIRE(p.uut->network().counters().accepted == 1);
  p.uut->silence(testing::wire::client);
  p.uut->execute([&] {
    const auto to = p.uut->network().proxy(bridge::address::queue("q"),
                                           {.tell_losses = losses});
    for (int i = 0; i < 5; ++i)
      caf::send_as(p.uut->proxy("q"), to, PostTweetRequest{});
  });
  p.stop(500ms);
  p.c.run(600ms);
  REQUIRE(p.left == 5U);
  REQUIRE(p.uut->network().counters().closed == 5);
  REQUIRE(p.uut->network().counters().sent == 6);
  p.uut->line()->restore();
  p.c.run(1s);
  CHECK(p.uut->network().counters().accepted == 1);
  CHECK(p.uut->network().counters().closed == 5);
}

TEST_CASE("stop: it may take as long as it takes", "[bridge][stop]") {
  stopping_node p;
  p.uut->execute([&] { p.send(); });
  p.c.run(1h);
  REQUIRE(p.kept.size() == 1);
  p.stop(never);
  p.c.run(1h);
  CHECK_FALSE(p.left);
  p.uut->execute([&] { p.kept[0].deliver(caf::unit); });
  p.c.run(1s);
  CHECK(p.left == 0U);
}

TEST_CASE("hooks: whatever they throw, the bridge comes up", "[bridge][stop]") {
  stopping_node p;
  p.uut->execute([&] { p.uut->network().on_up([] { throw 7; }); });
  p.c.run(1s);
  CHECK(p.uut->ready());
}
