// Goal: a typed actor is served and proxied as one: the compiler checks what is
// sent and answered, and nothing else is taken from the network. Method: two
// nodes and the broker in virtual time.
#include "testing/cluster.hpp"
#include "tests/support/catch.hpp"

#include "rookery/service/v1/log.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::address;
using bridge::errc;
using service::v1::LogHead;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using testing::node;

namespace {

/// Answers an author with a tweet of the same number; notes heads.
using teller =
    caf::typed_actor<caf::replies_to<PostTweetRequest>::with<PostTweetReply>,
                     caf::reacts_to<LogHead>>;

static_assert(bridge::typed_interface<teller>);
static_assert(!bridge::typed_interface<caf::actor>);
static_assert(!bridge::typed_interface<
              caf::typed_actor<caf::replies_to<int>::with<PostTweetReply>>>);
static_assert(!bridge::typed_interface<caf::typed_actor<
                  caf::replies_to<PostTweetRequest>::with<std::string>>>);
static_assert(
    !bridge::typed_interface<
        caf::typed_actor<caf::reacts_to<PostTweetRequest, PostTweetRequest>>>);

struct pair {
  explicit pair(bool factory = false) : c{1} {
    c.messages<PostTweetRequest, PostTweetReply, LogHead>();
    server = &c.add_node("server", [=, this](node& self) {
      auto make = [&self, this] {
        return self.system().spawn([this](teller::pointer) {
          return teller::behavior_type{
              [](const PostTweetRequest& x) {
                PostTweetReply result;
                result.set_tweet_id(x.author());
                return result;
              },
              [this](const LogHead& x) { heads.push_back(x.seq()); }};
        });
      };
      if (factory)
        self.network().serve(address::queue("q"), make);
      else
        self.network().serve(address::queue("q"), make());
    });
    client = &c.add_node("client");
    REQUIRE(
        c.run_until([&] { return server->ready() && client->ready(); }, 1s));
  }

  teller proxy() {
    return client->network().proxy<teller>(address::queue("q"));
  }

  testing::cluster c;
  node* server = nullptr;
  node* client = nullptr;
  std::vector<std::uint64_t> heads;
};

PostTweetRequest author(std::uint64_t x) {
  PostTweetRequest result;
  result.set_author(x);
  return result;
}

} // namespace

TEST_CASE("typed actors: a request through a typed handle is answered",
          "[link][typed]") {
  const auto factory = GENERATE(false, true);
  CAPTURE(factory);
  pair p{factory};
  std::uint64_t seen = 0;
  p.client->execute([&] {
    p.client->system().spawn([&](caf::event_based_actor* self) {
      self->request(p.proxy(), caf::infinite, author(7))
          .then([&](const PostTweetReply& x) { seen = x.tweet_id(); });
    });
  });
  p.c.run(1s);
  CHECK(seen == 7);
}

TEST_CASE("typed actors: what needs no answer arrives", "[link][typed]") {
  pair p;
  p.client->execute([&] {
    LogHead x;
    x.set_seq(5);
    caf::anon_send(p.proxy(), x);
  });
  p.c.run(1s);
  CHECK(p.heads == std::vector<std::uint64_t>{5});
}

TEST_CASE("typed actors: what is not in the interface is not taken",
          "[link][typed]") {
  pair p;
  caf::error seen;
  auto untyped = p.client->proxy("q");
  p.client->execute([&] {
    p.client->system().spawn([&](caf::event_based_actor* self) {
      self->request(untyped, caf::infinite, PostTweetReply{})
          .then([] { FAIL("it was answered"); },
                [&](caf::error& x) { seen = std::move(x); });
    });
  });
  p.c.run(1s);
  CHECK(seen == errc::unknown_type);
}

TEST_CASE("typed actors: an answer of another type is an error",
          "[link][typed]") {
  pair p;
  using liar =
      caf::typed_actor<caf::replies_to<PostTweetRequest>::with<LogHead>>;
  auto to = p.client->network().proxy<liar>(address::queue("q"));
  caf::error seen;
  p.client->execute([&] {
    p.client->system().spawn([&](caf::event_based_actor* self) {
      self->request(to, caf::infinite, author(7))
          .then([](const LogHead&) { FAIL("it was answered"); },
                [&](caf::error& x) { seen = std::move(x); });
    });
  });
  p.c.run(1s);
  CHECK(seen == caf::sec::unexpected_response);
}

TEST_CASE("typed actors: their messages are registered by their interface",
          "[link][typed]") {
  bridge::type_registry types;
  bridge::add_interface<teller>(types);
  for (const auto* name : {"PostTweetRequest", "PostTweetReply", "LogHead"})
    CHECK(types.find(std::string{"rookery.service.v1."} + name) != nullptr);
  CHECK(bridge::input_names<teller>()
        == bridge::type_names<PostTweetRequest, LogHead>());
}
