#include "tests/sim/history.hpp"

#include <iterator>
#include <optional>

namespace rookery::sim {

namespace {

// The text of a post tells which it was.
std::optional<std::size_t> op_of(const std::string& text) {
  if (text.size() < 2 || text[0] != 't')
    return std::nullopt;
  return std::stoull(text.substr(1));
}

} // namespace

history::op_number history::post_issued(user_id author) {
  posts_.push_back({author});
  return posts_.size() - 1;
}

void history::posted(op_number op, tweet_id id) {
  auto& x = posts_[op];
  if (x.id != 0) {
    if (x.id != id)
      outside_.fail("I11: one key, two answers: " + std::to_string(x.id)
                    + " and " + std::to_string(id));
    return;
  }
  if (!by_id_.emplace(id, op).second)
    return outside_.fail("two tweets have the id " + std::to_string(id));
  x.id = id;
}

void history::delete_issued(tweet_id id) {
  posts_[by_id_.at(id)].delete_issued = true;
}

void history::deleted(tweet_id id) { posts_[by_id_.at(id)].deleted = true; }

void history::follow_issued(user_id follower, user_id author, bool unfollow) {
  (unfollow ? ever_undone_ : ever_).emplace(follower, author);
}

void history::follow_changed(user_id follower, user_id author, bool unfollow) {
  if (unfollow)
    edges_.erase({follower, author});
  else
    edges_.emplace(follower, author);
}

std::pair<tweet_id, user_id> history::any_tweet(std::uint64_t draw) const {
  if (by_id_.empty())
    return {0, 0};
  auto at = std::next(by_id_.begin(),
                      static_cast<std::ptrdiff_t>(draw % by_id_.size()));
  auto& x = posts_[at->second];
  return {x.delete_issued ? 0 : x.id, x.author};
}

history::expectation history::expect(user_id user) const {
  expectation result{user, {}, {}};
  for (auto& [id, op] : by_id_)
    if (posts_[op].deleted)
      result.gone.insert(id);
  if (auto found = seen_.find(user); found != seen_.end())
    result.seen = found->second;
  return result;
}

bool history::may_vanish(user_id user, tweet_id id) const {
  auto found = sighted_.find(id);
  if (found == sighted_.end())
    return false;
  auto& x = posts_[found->second];
  return x.delete_issued || ever_undone_.count({user, x.author}) > 0;
}

std::size_t history::newer_than(tweet_id id, user_id user,
                                const std::set<tweet_id>& shown) const {
  auto result = static_cast<std::size_t>(
      std::distance(shown.upper_bound(id), shown.end()));
  for (auto at = by_id_.upper_bound(id); at != by_id_.end(); ++at) {
    auto& x = posts_[at->second];
    if (x.delete_issued && shown.count(at->first) == 0
        && (x.author == user || ever_.count({user, x.author}) > 0))
      ++result;
  }
  return result;
}

void history::check(const expectation& x,
                    const service::v1::HomeTimelineReply& reply) {
  auto who = "the home of " + std::to_string(x.user) + ": ";
  std::set<tweet_id> shown;
  for (auto& each : reply.tweets()) {
    auto id = each.id();
    auto about = who + std::to_string(id);
    if (!shown.empty() && id >= *shown.begin())
      return outside_.fail("I3: twice or out of order in " + about);
    shown.insert(id);
    auto op = op_of(each.text());
    if (!op || *op >= posts_.size() || posts_[*op].author != each.author())
      return outside_.fail("I2: nobody posted what is in " + about);
    if (posts_[*op].id != 0 && posts_[*op].id != id)
      return outside_.fail("I2: one post, two tweets in " + about);
    if (each.author() != x.user && ever_.count({x.user, each.author()}) == 0)
      return outside_.fail("I2: by a stranger in " + about);
    if (x.gone.count(id) > 0)
      return outside_.fail("I2: deleted, but in " + about);
    sighted_.emplace(id, *op);
  }
  for (auto id : x.seen)
    if (shown.count(id) == 0 && !may_vanish(x.user, id)
        && newer_than(id, x.user, shown) < cap_)
      return outside_.fail("I5: seen before, but not in " + who
                           + std::to_string(id));
  seen_[x.user] = std::move(shown);
}

std::vector<tweet_id> history::newest(user_id user, std::size_t most) const {
  std::vector<tweet_id> result;
  for (auto at = by_id_.rbegin(); at != by_id_.rend(); ++at) {
    auto& x = posts_[at->second];
    if (!x.deleted && result.size() < most
        && (x.author == user || follows(user, x.author)))
      result.push_back(at->first);
  }
  return result;
}

} // namespace rookery::sim
