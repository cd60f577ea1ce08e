#include "nodes/load/workload.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

namespace rookery::nodes {

namespace {

std::vector<double> activity(const std::vector<actors::user_id>& users,
                             const std::vector<edge>& edges,
                             seeded_random& random) {
  std::unordered_map<actors::user_id, std::uint32_t> followers;
  for (auto& x : edges)
    ++followers[x.followee];
  std::vector<double> result;
  result.reserve(users.size());
  for (auto user : users) {
    auto found = followers.find(user);
    auto count = found == followers.end() ? 0U : found->second;
    result.push_back(random.lognormal(1.0) * std::pow(count + 1.0, 0.2));
  }
  return result;
}

/// Takes a random element out; the order of the others does not matter.
template <class T>
T take_any(std::vector<T>& from, seeded_random& random) {
  auto& chosen = from[random.below(from.size())];
  auto result = chosen;
  chosen = from.back();
  from.pop_back();
  return result;
}

} // namespace

std::string_view to_string(operation_kind x) {
  switch (x) {
  case operation_kind::post:
    return "post";
  case operation_kind::remove:
    return "delete";
  case operation_kind::follow:
    return "follow";
  case operation_kind::unfollow:
    return "unfollow";
  case operation_kind::read:
    return "read";
  }
  return "unknown";
}

workload::workload(const workload_options& options,
                   std::vector<actors::user_id> users, std::vector<edge> edges)
    : options_(options),
      random_(options.seed),
      users_(std::move(users)),
      author_(activity(users_, edges, random_)),
      edges_(std::move(edges)),
      taken_(edges_.begin(), edges_.end()) {}

operation workload::next() {
  auto& mix = options_.mix;
  auto point = random_.unit() * 100.0;
  if ((point -= mix.posts) < 0)
    return post();
  if ((point -= mix.follow_changes / 2) < 0)
    return follow();
  if ((point -= mix.follow_changes / 2) < 0)
    return unfollow();
  if ((point -= mix.deletes) < 0)
    return remove();
  return {operation_kind::read, users_[random_.below(users_.size())], 0};
}

std::string workload::text() {
  constexpr std::array words = {"rook",  "nest", "caw",   "wing",
                                "elm",   "dawn", "flock", "über",
                                "naïve", "🪶", "storm", "perch"};
  std::string result;
  // At most 40 words of 5 code points and a blank: 240.
  for (auto left = 2 + random_.below(39); left > 0; --left)
    result.append(result.empty() ? "" : " ")
        .append(words[random_.below(words.size())]);
  return result;
}

void workload::finished(const operation& x, ending how, std::uint64_t tweet) {
  edge pair{x.user, x.subject};
  switch (x.kind) {
  case operation_kind::post:
    if (how != ending::acknowledged)
      return;
    if (tweets_.size() < options_.tweets_max)
      tweets_.push_back({operation_kind::remove, x.user, tweet});
    else
      tweets_[oldest_++ % tweets_.size()] = {operation_kind::remove, x.user,
                                             tweet};
    return;
  case operation_kind::follow:
    if (how == ending::acknowledged)
      edges_.push_back(pair);
    else if (how == ending::refused)
      taken_.erase(pair);
    return;
  case operation_kind::unfollow:
    if (how == ending::acknowledged)
      taken_.erase(pair);
    else if (how == ending::refused)
      edges_.push_back(pair);
    return;
  case operation_kind::remove:
  case operation_kind::read:
    return;
  }
}

operation workload::post() {
  return {operation_kind::post, users_[author_.draw(random_)], 0};
}

operation workload::remove() {
  return tweets_.empty() ? post() : take_any(tweets_, random_);
}

operation workload::follow() {
  edge pair{users_[random_.below(users_.size())],
            users_[author_.draw(random_)]};
  if (pair.follower == pair.followee || !taken_.insert(pair).second)
    return post();
  return {operation_kind::follow, pair.follower, pair.followee};
}

operation workload::unfollow() {
  if (edges_.empty())
    return post();
  auto pair = take_any(edges_, random_);
  return {operation_kind::unfollow, pair.follower, pair.followee};
}

} // namespace rookery::nodes
