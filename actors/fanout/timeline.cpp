#include "actors/fanout/timeline.hpp"

#include <algorithm>

namespace rookery::actors {

namespace {

std::uint32_t position(std::span<const tweet_id> ids, tweet_id id) {
  auto at = std::lower_bound(ids.begin(), ids.end(), id);
  return static_cast<std::uint32_t>(at - ids.begin());
}

} // namespace

timeline::outcome timeline::insert(tweet_id id, timeline_limits limits,
                                   std::uint64_t& trimmed) {
  if (id <= floor_)
    return outcome::below_floor;
  if (ids_.size() == ids_.capacity())
    make_room(limits);
  if (ids_.empty() || ids_.back() < id) {
    ids_.push_back(id);
  } else {
    auto at = position(ids_.view(), id);
    if (ids_[at] == id)
      return outcome::duplicate;
    ids_.insert(at, id);
  }
  if (ids_.size() >= limits.trim_at()) {
    auto excess = ids_.size() - limits.cap;
    floor_ = ids_[excess - 1];
    ids_.erase(0, excess);
    trimmed += excess;
  }
  return outcome::inserted;
}

bool timeline::erase(tweet_id id) {
  auto at = position(ids_.view(), id);
  if (at == ids_.size() || ids_[at] != id)
    return false;
  ids_.erase(at);
  return true;
}

std::uint32_t timeline::raise_floor(tweet_id floor) {
  if (floor <= floor_)
    return 0;
  auto excess = position(ids_.view(), floor);
  if (excess < ids_.size() && ids_[excess] == floor)
    ++excess;
  ids_.erase(0, excess);
  floor_ = floor;
  return excess;
}

std::vector<tweet_id> timeline::newest(std::optional<tweet_id> max_id,
                                       std::optional<tweet_id> since_id,
                                       std::uint32_t limit,
                                       timeline_limits limits) const {
  auto all = ids_.view();
  auto top = all.last(std::min<std::size_t>(all.size(), limits.cap));
  if (since_id)
    top = top.subspan(std::upper_bound(top.begin(), top.end(), *since_id)
                      - top.begin());
  if (max_id)
    top = top.first(std::upper_bound(top.begin(), top.end(), *max_id)
                    - top.begin());
  auto page = top.last(std::min<std::size_t>(top.size(), limit));
  return {page.rbegin(), page.rend()};
}

void timeline::make_room(timeline_limits limits) {
  // Never more than a full timeline needs: that is where its bytes are.
  auto wanted = std::max<std::uint32_t>(8, ids_.capacity() * 2);
  ids_.set_capacity(std::min(wanted, limits.trim_at()));
}

} // namespace rookery::actors
