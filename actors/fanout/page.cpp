#include "actors/fanout/page.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace rookery::actors {

std::vector<tweet_id> page::next() {
  auto count = std::min(limit_ - tweets_.size(), candidates_.size() - asked_);
  auto first = candidates_.begin() + static_cast<std::ptrdiff_t>(asked_);
  asked_ += count;
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

void page::take(service::v1::Tweet tweet) {
  auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(asked_);
  if (std::binary_search(candidates_.begin(), end, tweet.id(),
                         std::greater<>{}))
    tweets_.emplace(tweet.id(), std::move(tweet));
}

service::v1::HomeTimelineReply page::finish() {
  service::v1::HomeTimelineReply result;
  for (std::size_t i = 0; i < asked_; ++i) {
    auto at = tweets_.find(candidates_[i]);
    if (at != tweets_.end())
      *result.add_tweets() = std::move(at->second);
  }
  *this = {};
  return result;
}

} // namespace rookery::actors
