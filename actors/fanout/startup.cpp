#include "actors/fanout/startup.hpp"

#include "actors/log_name.hpp"

#include <algorithm>

namespace rookery::actors {

namespace {

constexpr std::uint32_t page_edges_max = 4'000;

} // namespace

service::v1::EdgesRequest startup::next_page() const {
  service::v1::EdgesRequest result;
  if (last_edge_) {
    result.set_after_follower(last_edge_->first);
    result.set_after_followee(last_edge_->second);
  }
  result.set_edges_max(page_edges_max);
  return result;
}

bool startup::take(const service::v1::EdgesReply& reply, social_graph& graph) {
  if (edges_known_)
    return true;
  if (!is_sound(reply))
    return false;
  if (!first_head_)
    first_head_ = reply.head();
  last_head_ = std::max(last_head_, reply.head());
  for (int i = 0; i < reply.followers_size(); ++i) {
    last_edge_ = {reply.followers(i), reply.followees(i)};
    graph.load(reply.followers(i), reply.followees(i));
  }
  edges_known_ = reply.last();
  if (edges_known_)
    graph.loaded();
  return true;
}

bool startup::heads_known() const {
  return std::find(heads_.begin(), heads_.end(), false) == heads_.end();
}

bool startup::is_sound(const service::v1::EdgesReply& reply) const {
  auto size = reply.followers_size();
  if (reply.followees_size() != size || reply.log() != follow_log(shard_)
      || (size == 0 && !reply.last()))
    return false;
  for (auto follower : reply.followers())
    if (partition_of(follower, shards_) != shard_)
      return false;
  if (size == 0)
    return true;
  // A page that does not go forward would never end.
  return last_edge_
         != std::pair{reply.followers(size - 1), reply.followees(size - 1)};
}

} // namespace rookery::actors
