// Goal: nodes and clients agree on queues without asking each other, and
// queues spread over nodes without anybody deciding.
#include "nodes/wiring/addresses.hpp"
#include "nodes/wiring/service_types.hpp"
#include "tests/support/catch.hpp"

#include <map>
#include <string>
#include <vector>

namespace {

using namespace rookery::nodes;

/// Who wants the queue most.
std::string winner(const std::vector<std::string>& nodes,
                   const std::string& queue) {
  std::string result;
  for (auto& name : nodes)
    if (result.empty()
        || consumer_priority(name, queue) > consumer_priority(result, queue))
      result = name;
  return result;
}

std::vector<std::string> shard_queues(std::uint32_t count) {
  std::vector<std::string> result;
  for (std::uint32_t i = 0; i < count; ++i)
    result.push_back(shard_address(i, {.shards = count}).name());
  return result;
}

} // namespace

TEST_CASE("wiring: queues are named by what they are for", "[nodes][wiring]") {
  layout x{.shards = 8, .tweet_partitions = 2};
  CHECK(tweet_address(1, x).name() == "rookery.tweet.1-of-2");
  CHECK(follow_address(7, x).name() == "rookery.follow.7-of-8");
  CHECK(shard_address(0, x).name() == "rookery.shard.0-of-8");
  CHECK(tweets_exchange().name() == "rookery.tweets");
}

TEST_CASE("wiring: a user's shard has his follows too", "[nodes][wiring]") {
  layout x{.shards = 8, .tweet_partitions = 2};
  for (std::uint64_t user : {0UL, 1UL, 961UL, ~0UL}) {
    auto shard = shard_address_of(user, x).name();
    auto follow = follow_address_of(user, x).name();
    CHECK(shard.substr(shard.rfind('.')) == follow.substr(follow.rfind('.')));
  }
}

TEST_CASE("wiring: everything is declared before what refers to it",
          "[nodes][wiring]") {
  using rookery::bridge::to_string;
  std::vector<std::string> all;
  for (auto& x : topology({.shards = 2, .tweet_partitions = 1}, 500))
    all.push_back(to_string(x));
  CHECK(all
        == std::vector<std::string>{
            "exchange rookery.tweets", "queue rookery.tweet.0-of-1",
            "queue rookery.follow.0-of-2", "queue rookery.shard.0-of-2",
            "binding rookery.tweets -> rookery.shard.0-of-2",
            "queue rookery.follow.1-of-2", "queue rookery.shard.1-of-2",
            "binding rookery.tweets -> rookery.shard.1-of-2"});
}

TEST_CASE("wiring: who has another store asks for the same queue, otherwise",
          "[nodes][wiring]") {
  const auto ours = store_agreement("tweets", 1);
  CHECK(ours.name == "rookery.agreed.tweets-store");
  CHECK(ours == store_agreement("tweets", 1));
  CHECK(ours.name == store_agreement("tweets", 2).name);
  CHECK_FALSE(ours == store_agreement("tweets", 2));
  CHECK(ours.name != store_agreement("follows", 1).name);
  CHECK_FALSE(layout_agreement({.shards = 8, .tweet_partitions = 2})
              == layout_agreement({.shards = 8, .tweet_partitions = 3}));
  CHECK_FALSE(layout_agreement({.shards = 8, .tweet_partitions = 2})
              == layout_agreement({.shards = 9, .tweet_partitions = 2}));
}

TEST_CASE("wiring: a refused agreement is explained, nothing else is",
          "[nodes][wiring]") {
  const std::string key = "exists with another x-dead-letter-routing-key";
  CHECK(hint_for("queue rookery.agreed.layout: " + key)
            .starts_with("; the nodes"));
  CHECK(hint_for("queue rookery.agreed.layout: access refused").empty());
  CHECK(hint_for("queue rookery.tweet.0-of-2: " + key).empty());
}

TEST_CASE("wiring: a shard's queue drops what is old, a writer's nothing",
          "[nodes][wiring]") {
  using rookery::bridge::queue_declaration;
  auto shard = shard_queue(shard_address(0, {}), 500);
  CHECK(shard.single_active_consumer);
  CHECK(shard.length_max == 500);
  CHECK(shard.overflow == queue_declaration::overflow_type::drop_head);
  auto writer = writer_queue(tweet_address(0, {}));
  CHECK(writer.single_active_consumer);
  CHECK_FALSE(writer.length_max);
}

TEST_CASE("wiring: queues spread over the nodes", "[nodes][wiring]") {
  std::map<std::string, int> count;
  for (auto& queue : shard_queues(100)) {
    CHECK(consumer_priority("fanout-1", queue) >= 0);
    ++count[winner({"fanout-1", "fanout-2"}, queue)];
  }
  CHECK(count["fanout-1"] > 30);
  CHECK(count["fanout-2"] > 30);
}

TEST_CASE("wiring: only the queues of a lost node move", "[nodes][wiring]") {
  for (auto& queue : shard_queues(100)) {
    auto before = winner({"a", "b", "c"}, queue);
    if (before != "c")
      CHECK(winner({"a", "b"}, queue) == before);
  }
}

TEST_CASE("wiring: the messages of every contract are known",
          "[nodes][wiring]") {
  auto types = service_types();
  for (auto name : {"PostTweetRequest", "LogBatch", "HomeTimelineReply",
                    "ImportEdgesRequest", "CompletionsReply", "PullReply"})
    CHECK(types.find(std::string{"rookery.service.v1."} + name) != nullptr);
}
