#pragma once

#include "actors/partition.hpp"

#include "rookery/service/v1/timeline.pb.h"
#include "rookery/service/v1/tweet.pb.h"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace rookery::actors {

/// One page of a home timeline, while its texts are fetched. Tweets that have
/// no text any more are replaced by older ones, as long as there are some.
class page {
public:
  page() = default;

  /// `candidates`: descending, all the page may hold. `limit`: 1..200.
  page(std::vector<tweet_id> candidates, std::uint32_t limit)
      : candidates_{std::move(candidates)},
        limit_{limit} {}

  /// The ids to fetch next, at most `limit`; none when the page is done. Only
  /// to be called when everything fetched before has been taken.
  [[nodiscard]] std::vector<tweet_id> next();

  /// Takes one tweet; one nobody asked for is dropped.
  void take(service::v1::Tweet tweet);

  /// The page, newest first. Leaves this one empty.
  [[nodiscard]] service::v1::HomeTimelineReply finish();

private:
  std::vector<tweet_id> candidates_;
  std::uint32_t limit_ = 0;
  std::size_t asked_ = 0; // of the candidates, from the front
  std::unordered_map<tweet_id, service::v1::Tweet> tweets_;
};

} // namespace rookery::actors
