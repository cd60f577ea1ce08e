#pragma once

#include "nodes/wiring/addresses.hpp"
#include "tests/sim/history.hpp"
#include "tests/sim/node_host.hpp"
#include "tests/sim/tally.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace rookery::sim {

/// People who use the service: they post, follow, delete and read, ask again
/// with the same key until they are answered, and check what they see.
class clients : public std::enable_shared_from_this<clients> {
public:
  clients(world& outside, std::shared_ptr<node_host> self, nodes::layout layout,
          user_id users, std::size_t timeline_cap)
      : outside_{outside},
        self_{std::move(self)},
        layout_{layout},
        users_{users},
        past_{outside, timeline_cap} {}

  /// Begins to do things, one every so often, until told to stop.
  void start(world::clock::duration pace);
  void stop() { running_ = false; }

  /// Changes that were not answered yet.
  [[nodiscard]] std::size_t open() const { return open_; }
  [[nodiscard]] history& past() { return past_; }

  /// Reads every home and compares it with the oracle; `then` is told of the
  /// first difference, or an empty text.
  void compare(std::function<void(std::string)> then);
  /// The same for what shards hold, without building anything.
  void compare_dumps(std::function<void(std::string)> then);
  /// Compares what every shard says it applied with what the writers have.
  /// Reads nothing, since a read makes a shard ask for itself.
  void compare_applied(std::function<void(std::string)> then);
  /// Asks where nobody is: the answer must be that it is unroutable.
  void ask_nobody(std::function<void(std::string)> then);
  /// Deletes one of the newest tweets: what a timeline was too small for must
  /// take its place.
  void erase_newest();

private:
  void act(world::clock::duration pace);
  void post();
  void erase(std::pair<actors::tweet_id, user_id> which);
  void follow(bool unfollow);
  void read();
  /// Sends what the service can never do, and waits for nothing.
  void talk_nonsense();
  /// Looks at what a shard holds, at any time: nothing below a floor.
  void look_inside();
  void compare_home(user_id user, std::function<void(std::string)> then);
  void compare_shard(std::uint32_t shard,
                     std::function<void(std::string)> then);
  void compare_logs(std::uint32_t shard, std::function<void(std::string)> then);
  void compare_head(const service::v1::ShardStatus& status, int log,
                    std::function<void(std::string)> then);

  /// Asks until there is an answer.
  template <class Reply, class Request>
  void change(bridge::address whom, Request request,
              std::function<void(const Reply&)> done);
  [[nodiscard]] std::string key() {
    return std::string{"k"}.append(std::to_string(++keys_));
  }

  world& outside_;
  std::shared_ptr<node_host> self_;
  nodes::layout layout_;
  user_id users_;
  history past_;
  bool running_ = false;
  std::size_t open_ = 0;
  std::uint64_t keys_ = 0;
  std::set<std::pair<user_id, user_id>> changing_; // edges with a change open
  std::set<user_id> reading_;
};

} // namespace rookery::sim
