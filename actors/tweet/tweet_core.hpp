#pragma once

#include "actors/partition.hpp"
#include "actors/store/group_plan.hpp"
#include "actors/store/key_ledger.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>

namespace rookery::actors {

struct tweet_post {
  user_id author;
  std::string text;
  std::uint64_t intended_at_us;
};

struct tweet_deletion {
  user_id author;
  tweet_id id;
};

using tweet_change = std::variant<tweet_post, tweet_deletion>;
using tweet_request = store::change_request<tweet_change>;

/// The authors of the tweets that a group wants to delete, as the store has
/// them; what is missing does not exist.
using tweet_authors = std::unordered_map<tweet_id, user_id>;

/// What one partition of the tweet role decides, without clock and store.
/// @thread any; a value without mutable state
class tweet_core {
public:
  /// Partition `index` of `count`, 1..1024.
  tweet_core(std::uint32_t index, std::uint32_t count);

  /// Checks partition, key, and text.
  [[nodiscard]] caf::expected<tweet_request>
  accept(const service::v1::PostTweetRequest& request) const;

  /// Checks partition and key.
  [[nodiscard]] caf::expected<tweet_request>
  accept(const service::v1::DeleteTweetRequest& request) const;

  /// Check the partition and the documented limits.
  [[nodiscard]] caf::error
  check(const service::v1::UserTimelineRequest& request) const;
  [[nodiscard]] caf::error
  check(const service::v1::GetTweetsRequest& request) const;
  [[nodiscard]] caf::error check(const service::v1::PullRequest& request) const;

  /// Decides the requests in order. New ids are above `last_id`. The answer
  /// to a post is its id, to a deletion whether the tweet existed.
  [[nodiscard]] store::group_plan plan(std::span<const tweet_request> group,
                                       tweet_id last_id, tweet_authors authors,
                                       store::key_ledger& keys,
                                       store::time_point now) const;

private:
  std::uint32_t index_;
  std::uint32_t count_;
};

} // namespace rookery::actors
