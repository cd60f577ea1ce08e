#pragma once

#include "bridge/caf/encoding.hpp"
#include "testing/cluster.hpp"
#include "tests/support/catch.hpp"

#include "rookery/bridge/v1/control.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace rookery::tests {

using bridge::errc;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using testing::node;

inline const auto fell_over = caf::make_error(errc::poison, "fell over");

inline void fall_over(const caf::actor& x) {
  caf::anon_send(x, caf::exit_msg{{}, fell_over});
}

inline PostTweetRequest number(std::uint64_t x) {
  PostTweetRequest result;
  result.set_author(x);
  return result;
}

/// Answers a number with it, tells the queue "desk" of it, and ends on 0.
inline caf::behavior mortal(caf::event_based_actor* self, caf::actor desk) {
  return {[=](const PostTweetRequest& x) {
    if (desk)
      self->send(desk, x);
    if (x.author() == 0)
      self->quit(fell_over);
    PostTweetReply result;
    result.set_tweet_id(x.author());
    return result;
  }};
}

/// What a watcher saw, in order: numbers told, answers, "down REASON".
struct record {
  std::vector<std::string> seen;
  [[nodiscard]] std::size_t downs() const {
    std::size_t result = 0;
    for (const auto& x : seen)
      result += x.starts_with("down") ? 1U : 0U;
    return result;
  }
};

inline std::string text(const std::string& what, const caf::error& why) {
  return what + " " + to_string(why.category()) + " "
         + std::to_string(why.code()) + " " + bridge::text_of(why);
}
inline std::string down(const caf::error& why) { return text("down", why); }

/// Monitors or links to `whom`, asks it each number it is told, notes what
/// comes.
inline caf::behavior watcher(caf::event_based_actor* self, caf::actor whom,
                             std::shared_ptr<record> into, bool link) {
  const auto note = [=](const std::string& what, const caf::error& why) {
    into->seen.push_back(text(what, why));
  };
  auto told = std::make_shared<caf::response_promise>();
  self->set_down_handler(
      [=](const caf::down_msg& x) { note("down", x.reason); });
  self->set_exit_handler([=](const caf::exit_msg& x) {
    if (x.source == whom.address())
      note("down", x.reason);
    else
      self->quit(x.reason);
  });
  if (link)
    self->link_to(whom);
  else
    self->monitor(whom);
  return {[=](const PostTweetRequest& x) {
            into->seen.push_back("told " + std::to_string(x.author()));
            // The next one is not handed over before.
            *told = self->make_response_promise();
            self->delayed_send(self, std::chrono::milliseconds{100},
                               caf::atom("done"), std::uint64_t{0});
          },
          [=](caf::atom_value what, std::uint64_t x) {
            if (what == caf::atom("done"))
              return told->deliver(caf::unit);
            if (what == caf::atom("demonitor"))
              return self->demonitor(whom);
            if (what == caf::atom("monitor"))
              return self->monitor(whom);
            if (what == caf::atom("exit"))
              return self->send_exit(whom, fell_over);
            self->request(whom, caf::infinite, number(x))
                .then(
                    [=](const PostTweetReply& y) {
                      into->seen.push_back("answer "
                                           + std::to_string(y.tweet_id()));
                    },
                    [=](caf::error& why) { note("failed", why); });
          }};
}

/// A node whose actor serves "q", and one that watches it.
struct watched_pair {
  explicit watched_pair(bridge::serve_options options = {},
                        bool restarts = true,
                        bridge::bridge_options of_server = {})
      : c{1} {
    c.messages<PostTweetRequest, PostTweetReply, bridge::v1::Down>();
    server = &c.add_node(
        "server",
        [=, this](node& self) {
          auto make = [&self, this] {
            auto desk = uses_desk ? self.proxy("desk") : caf::actor{};
            return served = self.system().spawn(mortal, desk);
          };
          if (restarts)
            self.serve("q", make, options);
          else
            self.network().serve(bridge::address::queue("q"), make(), options);
        },
        of_server);
    client = &c.add_node("client", {});
    REQUIRE(c.run_until([&] { return server->ready() && client->ready(); },
                        std::chrono::seconds{10}));
  }

  /// Starts an actor on the client's node that watches "q".
  std::shared_ptr<record> watch(bool link = false) {
    auto result = std::make_shared<record>();
    client->execute([&] {
      last = client->system().spawn(watcher, client->proxy("q"), result, link);
    });
    c.run(std::chrono::milliseconds{500});
    return result;
  }
  /// The same, and it serves "desk", one message at a time.
  std::shared_ptr<record> watch_at_desk() {
    auto result = std::make_shared<record>();
    client->execute([&] {
      last = client->system().spawn(watcher, client->proxy("q"), result, false);
      client->network().serve(bridge::address::queue("desk"), last,
                              {.window = 1});
    });
    c.run(std::chrono::seconds{1});
    return result;
  }
  void ask(std::uint64_t x) { tell(caf::atom("ask"), x); }
  void tell(caf::atom_value what, std::uint64_t x = 0) {
    client->execute([&] { caf::anon_send(last, what, x); });
  }

  [[nodiscard]] std::uint64_t watchers() {
    return server->network().counters().watchers;
  }
  [[nodiscard]] std::uint64_t watches() {
    return client->network().counters().watches;
  }

  testing::cluster c;
  node* server = nullptr;
  node* client = nullptr;
  bool uses_desk = false;
  caf::actor served; // the present target
  caf::actor last;   // the last watcher
};

inline const std::string down_as_it_fell = down(fell_over);

} // namespace rookery::tests
