#include "actors/fanout/social_graph.hpp"

#include <algorithm>
#include <iterator>

namespace rookery::actors {

namespace {

constexpr std::uint32_t gaps_min = 16; // fewer are not worth closing

} // namespace

bool social_graph::follow(user_id follower, user_id author) {
  if (follower == author)
    return false;
  auto [from, to] = place(follower, author);
  auto& edges = followed_[from];
  auto* at = find(edges, to);
  if (at != edges.end() && at->author == to)
    return false;
  auto& slots = followers_[to].slots;
  edges.insert(static_cast<std::uint32_t>(at - edges.begin()),
               {to, slots.size()});
  slots.push_back(from);
  ++edges_;
  return true;
}

void social_graph::load(user_id follower, user_id author) {
  if (follower == author)
    return;
  auto [from, to] = place(follower, author);
  auto& slots = followers_[to].slots;
  followed_[from].push_back({to, slots.size()});
  slots.push_back(from);
  ++edges_;
}

void social_graph::loaded() {
  auto less = [](const edge& x, const edge& y) {
    return std::pair{x.author, x.position} < std::pair{y.author, y.position};
  };
  for (auto& edges : followed_) {
    std::sort(edges.begin(), edges.end(), less);
    auto* end = edges.begin();
    for (auto& x : edges)
      if (end != edges.begin() && std::prev(end)->author == x.author)
        remove(x);
      else
        *end++ = x;
    edges.shrink(static_cast<std::uint32_t>(end - edges.begin()));
  }
}

bool social_graph::unfollow(user_id follower, user_id author) {
  auto from = users_.find(follower);
  auto to = users_.find(author);
  if (!from || !to || *from >= followed_.size())
    return false;
  auto& edges = followed_[*from];
  auto* at = find(edges, *to);
  if (at == edges.end() || at->author != *to)
    return false;
  remove(*at);
  edges.erase(static_cast<std::uint32_t>(at - edges.begin()));
  return true;
}

bool social_graph::is_sparse(user_slot author) const {
  if (author >= followers_.size())
    return false;
  auto& list = followers_[author];
  return list.gaps >= gaps_min && list.gaps * 2 > list.slots.size();
}

std::uint32_t social_graph::followers_before(user_slot author,
                                             std::uint32_t position) const {
  auto before = followers(author).first(position);
  auto gaps = std::count(before.begin(), before.end(), gap);
  return position - static_cast<std::uint32_t>(gaps);
}

void social_graph::compact(user_slot author) {
  auto& list = followers_[author];
  std::uint32_t kept = 0;
  for (auto follower : list.slots) {
    if (follower == gap)
      continue;
    find(followed_[follower], author)->position = kept;
    list.slots[kept++] = follower;
  }
  list.slots.shrink(kept);
  list.gaps = 0;
}

std::span<const user_slot> social_graph::followers(user_slot author) const {
  if (author >= followers_.size())
    return {};
  return followers_[author].slots.view();
}

std::vector<user_slot> social_graph::followed(user_slot follower) const {
  std::vector<user_slot> result;
  if (follower < followed_.size())
    for (auto& followed_edge : followed_[follower].view())
      result.push_back(followed_edge.author);
  return result;
}

std::pair<user_slot, user_slot> social_graph::place(user_id follower,
                                                    user_id author) {
  auto from = users_.intern(follower);
  auto to = users_.intern(author);
  if (followed_.size() <= from)
    followed_.resize(from + 1);
  if (followers_.size() <= to)
    followers_.resize(to + 1);
  return {from, to};
}

void social_graph::remove(const edge& x) {
  auto& list = followers_[x.author];
  list.slots[x.position] = gap;
  ++list.gaps;
  --edges_;
}

social_graph::edge* social_graph::find(slim_vector<edge>& edges,
                                       user_slot author) {
  return std::lower_bound(
      edges.begin(), edges.end(), author,
      [](const edge& x, user_slot y) { return x.author < y; });
}

} // namespace rookery::actors
