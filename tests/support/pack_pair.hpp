#pragma once

#include "bridge/send_lost.hpp"
#include "testing/cluster.hpp"
#include "tests/support/catch.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace rookery::tests {

using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;

using bridge::address;
using bridge::send_lost;
using testing::cluster;
using testing::node;
using numbers = std::vector<std::uint64_t>;

inline PostTweetRequest message(std::uint64_t x) {
  PostTweetRequest result;
  result.set_author(x);
  return result;
}

inline numbers up_to(std::uint64_t last) {
  numbers result(last);
  std::iota(result.begin(), result.end(), 1);
  return result;
}

inline numbers sorted(numbers x) {
  std::sort(x.begin(), x.end());
  return x;
}

/// A node that sends packs to the queue "q", and one that serves it. What it
/// gives up on is parked in "parked".
struct pack_pair {
  explicit pack_pair(bridge::bridge_options options = {},
                     std::optional<std::uint64_t> length_max = {})
      : c{1} {
    c.messages<PostTweetRequest, PostTweetReply>();
    sender = &c.add_node(
        "sender",
        [this, length_max](node& self) {
          bridge::queue_declaration queue{.name = "q"};
          queue.length_max = length_max;
          queue.dead_letter_exchange = "";
          queue.dead_letter_key = "parked";
          self.network().declare(queue);
          self.network().declare(bridge::queue_declaration{.name = "parked"});
          told.emplace(self.actors().spawn_recorder<send_lost>());
        },
        options);
    receiver = &c.add_node("receiver");
    REQUIRE(c.run_until([&] { return sender->ready() && receiver->ready(); },
                        std::chrono::seconds{1}));
  }

  void restart_receiver(std::function<void(bridge::bridge_options&)> with) {
    receiver->crash();
    receiver->on_open = std::move(with);
    receiver->start();
  }

  /// Serves "q" from now on: notes each number, and then does what `end` says.
  void
  serve(std::function<caf::result<void>(caf::event_based_actor*, std::uint64_t)>
            end,
        bridge::serve_options options = {}) {
    options.queue.reset();
    receiver->serve(
        "q",
        [this, end] {
          return receiver->system().spawn(
              [this, end](caf::event_based_actor* self) {
                return caf::behavior{[=, this](const PostTweetRequest& x) {
                  seen.push_back(x.author());
                  return end(self, x.author());
                }};
              });
        },
        options);
  }
  void serve_well(bridge::serve_options options = {}) {
    serve([](auto*, auto) { return caf::unit; }, std::move(options));
  }

  /// Sends 1 to `count` at once.
  void send(std::uint64_t count, bridge::send_options how = {},
            const std::string& queue = "q") {
    how.pack = true;
    sender->execute([=, this] {
      auto to = sender->network().proxy(address::queue(queue), how);
      for (std::uint64_t i = 1; i <= count; ++i)
        caf::send_as(told->handle(), to, message(i));
    });
  }

  /// The queue has no room any more, where it is one of `length_max`.
  void fill() {
    for (int i = 0; i < 4; ++i) {
      sender->execute([this] {
        caf::anon_send(sender->network().proxy(address::queue("q")),
                       message(1'000));
      });
      c.run(std::chrono::milliseconds{20});
    }
  }

  [[nodiscard]] std::uint64_t transfers() {
    return c.broker().inside()->counters.messages_in;
  }
  [[nodiscard]] std::size_t waiting(const std::string& queue) {
    const auto* x = c.broker().inside()->host.find_queue(queue);
    return x == nullptr ? 0 : x->counts().ready + x->counts().unsettled;
  }

  cluster c;
  node* sender;
  node* receiver;
  std::optional<testing::recorder<send_lost>> told;
  numbers seen;
};

} // namespace rookery::tests
