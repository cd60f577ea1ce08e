#include "nodes/wiring/addresses.hpp"

#include <array>
#include <utility>

namespace rookery::nodes {

namespace {

constexpr const char* tweets = "rookery.tweets";
constexpr const char* agreed_prefix = "rookery.agreed.";

bridge::address numbered(const char* what, std::uint32_t index,
                         std::uint32_t count) {
  return bridge::address::queue("rookery." + std::string{what} + "."
                                + std::to_string(index) + "-of-"
                                + std::to_string(count));
}

/// A queue that nobody uses. A broker refuses to declare a queue with another
/// dead-letter key than it has: so all nodes that come up have the same value.
bridge::queue_declaration agreement(std::string_view about, std::string value) {
  bridge::queue_declaration result;
  result.name = std::string{agreed_prefix}.append(about);
  result.dead_letter_exchange = ""; // a key needs one; nothing comes here
  result.dead_letter_key = std::move(value);
  return result;
}

} // namespace

bridge::address tweet_address(std::uint32_t partition, const layout& x) {
  return numbered("tweet", partition, x.tweet_partitions);
}

bridge::address follow_address(std::uint32_t shard, const layout& x) {
  return numbered("follow", shard, x.shards);
}

bridge::address shard_address(std::uint32_t shard, const layout& x) {
  return numbered("shard", shard, x.shards);
}

bridge::address tweet_address_of(actors::user_id author, const layout& x) {
  return tweet_address(actors::partition_of(author, x.tweet_partitions), x);
}

bridge::address follow_address_of(actors::user_id follower, const layout& x) {
  return follow_address(actors::partition_of(follower, x.shards), x);
}

bridge::address shard_address_of(actors::user_id reader, const layout& x) {
  return shard_address(actors::partition_of(reader, x.shards), x);
}

bridge::address tweets_exchange() {
  return bridge::address::exchange(tweets, "");
}

bridge::queue_declaration writer_queue(const bridge::address& x) {
  bridge::queue_declaration result;
  result.name = x.name();
  result.single_active_consumer = true;
  return result;
}

bridge::queue_declaration shard_queue(const bridge::address& x,
                                      std::uint64_t length_max) {
  auto result = writer_queue(x);
  result.length_max = length_max;
  result.overflow = bridge::queue_declaration::overflow_type::drop_head;
  return result;
}

bridge::queue_declaration layout_agreement(const layout& x) {
  return agreement("layout", std::to_string(x.shards) + " shards, "
                                 + std::to_string(x.tweet_partitions)
                                 + " tweet partitions");
}

bridge::queue_declaration store_agreement(std::string_view kind,
                                          std::uint64_t store_id) {
  return agreement(std::string{kind} + "-store", std::to_string(store_id));
}

std::string hint_for(std::string_view refusal) {
  // A broker may refuse it for other reasons, too.
  if (refusal.find(agreed_prefix) == std::string_view::npos
      || refusal.find("x-dead-letter-routing-key") == std::string_view::npos)
    return {};
  return "; the nodes at this broker have another store or other numbers of "
         "shards and tweet partitions, which must be the same in all";
}

std::vector<bridge::declaration>
topology(const layout& x, std::uint64_t shard_queue_length_max) {
  std::vector<bridge::declaration> result;
  result.push_back(bridge::exchange_declaration{
      tweets, bridge::exchange_declaration::kind_type::fanout});
  for (std::uint32_t i = 0; i < x.tweet_partitions; ++i)
    result.push_back(writer_queue(tweet_address(i, x)));
  for (std::uint32_t i = 0; i < x.shards; ++i) {
    auto shard = shard_address(i, x);
    result.push_back(writer_queue(follow_address(i, x)));
    result.push_back(shard_queue(shard, shard_queue_length_max));
    result.push_back(bridge::binding_declaration{tweets, shard.name()});
  }
  return result;
}

std::int32_t consumer_priority(std::string_view node_name,
                               std::string_view queue) {
  std::uint64_t hash = 0xcbf29ce484222325U; // FNV-1a over both, 0 between
  constexpr std::string_view between{"\0", 1};
  for (auto part : std::array{node_name, between, queue})
    for (auto c : part)
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  // FNV's high bits hardly know the last bytes: mix.
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
  return static_cast<std::int32_t>((hash ^ (hash >> 31)) >> 33);
}

} // namespace rookery::nodes
