#pragma once

#include "actors/partition.hpp"
#include "bridge/address.hpp"
#include "bridge/topology.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::nodes {

/// How the service is cut: the same for all its nodes and clients, and fixed
/// in its store.
struct layout {
  std::uint32_t shards = 8;           // 1..1024
  std::uint32_t tweet_partitions = 2; // 1..1024
};

/// The queue of the writer of a tweet partition.
[[nodiscard]] bridge::address tweet_address(std::uint32_t partition,
                                            const layout& x);
/// The queue of the writer of a shard's follows.
[[nodiscard]] bridge::address follow_address(std::uint32_t shard,
                                             const layout& x);
/// The queue of a shard.
[[nodiscard]] bridge::address shard_address(std::uint32_t shard,
                                            const layout& x);
/// The same three, of the one that has this user.
[[nodiscard]] bridge::address tweet_address_of(actors::user_id author,
                                               const layout& x);
[[nodiscard]] bridge::address follow_address_of(actors::user_id follower,
                                                const layout& x);
[[nodiscard]] bridge::address shard_address_of(actors::user_id reader,
                                               const layout& x);
/// Where tweet logs are published: every shard's queue is bound to it.
[[nodiscard]] bridge::address tweets_exchange();

/// The queue of a writer: one consumer at a time, nothing is dropped.
[[nodiscard]] bridge::queue_declaration writer_queue(const bridge::address& x);

/// The queue of a shard: one consumer at a time, and what is too old falls
/// out, to be read back from the log.
/// @param length_max messages
[[nodiscard]] bridge::queue_declaration shard_queue(const bridge::address& x,
                                                    std::uint64_t length_max);

/// What makes all nodes that meet at one broker have one layout: whoever has
/// another is refused by the broker.
[[nodiscard]] bridge::queue_declaration layout_agreement(const layout& x);
/// The same for stores of one kind: "tweets" or "follows".
[[nodiscard]] bridge::queue_declaration store_agreement(std::string_view kind,
                                                        std::uint64_t store_id);

/// What else to tell an operator of a declaration that was refused, in the
/// words of bridge and broker: begins with "; ", or is empty.
[[nodiscard]] std::string hint_for(std::string_view refusal);

/// Everything the service needs at the broker, in the order to declare it. Any
/// node may: so they start in any order, and nothing is sent into the void.
[[nodiscard]] std::vector<bridge::declaration>
topology(const layout& x, std::uint64_t shard_queue_length_max);

/// How much this node wants to be the one consumer of a queue, 0..2^31-1: a
/// rendezvous hash, so that queues spread over the nodes there are, and only
/// those of a lost node move. @source Thaler and Ravishankar, 1998.
[[nodiscard]] std::int32_t consumer_priority(std::string_view node_name,
                                             std::string_view queue);

} // namespace rookery::nodes
