// Goal: whoever passes a request on, to whatever node, is out of it: the answer
// comes to who asked. Method: three nodes and the broker in virtual time; the
// first asks, the second passes on, the third answers.
#include "testing/cluster.hpp"
#include "tests/support/catch.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::errc;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using testing::node;

namespace {

PostTweetRequest author(std::uint64_t x) {
  PostTweetRequest result;
  result.set_author(x);
  return result;
}

PostTweetReply tweet(std::uint64_t x) {
  PostTweetReply result;
  result.set_tweet_id(x);
  return result;
}

using pass_on =
    std::function<caf::behavior(caf::event_based_actor*, caf::actor)>;

/// "front" passes on what it gets to "back", as `how` does, which answers the
/// same number, or fails on 0.
struct chain {
  explicit chain(pass_on how) : c{1} {
    c.messages<PostTweetRequest, PostTweetReply>();
    back = &c.add_node("back", [](node& self) {
      self.serve("back", [&self] {
        return self.system().spawn([]() -> caf::behavior {
          return {[](const PostTweetRequest& x) -> caf::result<PostTweetReply> {
            if (x.author() == 0)
              return caf::make_error(errc::rejected, "zero");
            return tweet(x.author());
          }};
        });
      });
    });
    front = &c.add_node("front", [how](node& self) {
      self.serve("front", [&self, how] {
        return self.system().spawn(how, self.proxy("back"));
      });
    });
    client = &c.add_node("client");
    REQUIRE(c.run_until(
        [&] { return back->ready() && front->ready() && client->ready(); },
        1s));
  }

  void ask(std::uint64_t x) {
    client->execute([&] {
      client->system().spawn([=, this](caf::event_based_actor* self) {
        self->request(door ? door : client->proxy("front"), caf::infinite,
                      author(x))
            .then([this](const PostTweetReply& y) { answer = y.tweet_id(); },
                  [this](caf::error& y) { error = std::move(y); });
      });
    });
    c.run(2s);
  }

  testing::cluster c;
  node* back = nullptr;
  node* front = nullptr;
  node* client = nullptr;
  caf::actor door; // whom it asks, if not "front"
  std::uint64_t answer = 0;
  caf::error error;
};

caf::behavior delegates(caf::event_based_actor* self, caf::actor to) {
  return {[=](const PostTweetRequest& x) { return self->delegate(to, x); }};
}

caf::behavior delegates_promise(caf::event_based_actor* self, caf::actor to) {
  return {[=](const PostTweetRequest& x) {
    auto promise = self->make_response_promise();
    promise.delegate(to, x);
    return promise;
  }};
}

caf::behavior promises(caf::event_based_actor* self, caf::actor to) {
  return {[=](const PostTweetRequest& x) {
    auto promise = self->make_response_promise();
    self->request(to, caf::infinite, x)
        .then([=](const PostTweetReply& y) mutable { promise.deliver(y); },
              [=](caf::error& y) mutable { promise.deliver(std::move(y)); });
    return promise;
  }};
}

pass_on each_way() {
  return GENERATE(pass_on{delegates}, pass_on{delegates_promise},
                  pass_on{promises});
}

/// Doubles what it gets from a handle that it is composed with.
caf::behavior doubles() {
  return {[](const PostTweetReply& x) { return tweet(2 * x.tweet_id()); }};
}

} // namespace

TEST_CASE("delegation: the answer comes to who asked", "[link][delegation]") {
  chain c{each_way()};
  c.ask(7);
  CHECK(c.answer == 7);
  CHECK(c.front->network().unfinished() == 0); // it is settled
}

TEST_CASE("delegation: an error comes to who asked", "[link][delegation]") {
  chain c{each_way()};
  c.ask(0);
  CHECK(c.error == errc::rejected);
  CHECK(c.error.context().get_as<std::string>(0) == "zero");
  CHECK(c.front->network().unfinished() == 0);
}

TEST_CASE("delegation: what its last node cannot get comes back as an error",
          "[link][delegation]") {
  chain c{each_way()};
  c.back->crash();
  c.c.broker().crash(); // and the queue is gone with it
  c.c.broker().start();
  REQUIRE(c.c.run_until([&] { return c.front->ready() && c.client->ready(); },
                        30s));
  c.ask(7);
  CHECK(c.error == errc::unroutable);
}

TEST_CASE("delegation: an actor at the client may delegate to a proxy",
          "[link][delegation]") {
  chain c{delegates};
  c.client->execute([&] {
    auto local = c.client->actors().spawn(delegates, c.client->proxy("back"));
    c.client->system().spawn([&, local](caf::event_based_actor* self) {
      self->request(local, caf::infinite, author(9))
          .then([&](const PostTweetReply& y) { c.answer = y.tweet_id(); });
    });
  });
  c.c.run(2s);
  CHECK(c.answer == 9);
}

TEST_CASE("delegation: a composed actor gets what its handle answers",
          "[link][delegation]") {
  chain c{delegates};
  const auto stages = GENERATE(1U, 2U);
  const auto* to = GENERATE("back", "front");
  c.client->execute([&] {
    auto composed = c.client->proxy(to);
    for (auto i = stages; i > 0; --i)
      composed = c.client->actors().spawn(doubles) * composed;
    c.client->system().spawn([&, composed](caf::event_based_actor* self) {
      self->request(composed, caf::infinite, author(9))
          .then([&](const PostTweetReply& y) { c.answer = y.tweet_id(); });
    });
  });
  c.c.run(2s);
  CHECK(c.answer == 9U << stages);
}

TEST_CASE("delegation: an error passes a composed actor by",
          "[link][delegation]") {
  chain c{delegates};
  c.client->execute([&] {
    auto composed = c.client->actors().spawn(doubles) * c.client->proxy("back");
    c.client->system().spawn([&, composed](caf::event_based_actor* self) {
      self->request(composed, caf::infinite, author(0))
          .then([](const PostTweetReply&) {},
                [&, self, composed](caf::error& why) {
                  c.error = std::move(why);
                  self->request(composed, caf::infinite, author(9))
                      .then([&](const PostTweetReply& y) {
                        c.answer = y.tweet_id();
                      });
                });
    });
  });
  c.c.run(2s);
  CHECK(c.error == errc::rejected);
  CHECK(c.answer == 18);
}

TEST_CASE("delegation: a composed actor answers asynchronous messages, too",
          "[link][delegation]") {
  chain c{delegates};
  c.client->execute([&] {
    auto composed = c.client->actors().spawn(doubles) * c.client->proxy("back");
    c.client->system().spawn(
        [&, composed](caf::event_based_actor* self) -> caf::behavior {
          self->send(composed, author(9));
          return {[&](const PostTweetReply& y) { c.answer = y.tweet_id(); }};
        });
  });
  c.c.run(2s);
  CHECK(c.answer == 18);
  CHECK(c.client->network().counters().done == 1);
}

TEST_CASE("delegation: a handle that is served outlives who answers through it",
          "[link][delegation]") {
  chain p{delegates};
  p.client->execute([&] {
    p.client->network().serve(bridge::address::queue("front door"),
                              p.client->proxy("front"));
    p.door = p.client->proxy("front door");
  });
  p.c.run(1s);
  p.ask(1);
  CHECK(p.answer == 1);
  p.front->crash();
  p.c.run(60s);
  p.front->start();
  p.ask(2);
  CHECK(p.answer == 2);
}
