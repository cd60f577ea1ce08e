#pragma once

#include "actors/store/log_writer.hpp"
#include "actors/store/tweet_store.hpp"
#include "actors/tweet/tweet_core.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace rookery::actors {

/// The writer of one tweet partition, and the reader of its tweets.
using tweet_actor = store::log_actor::extend<
    caf::replies_to<service::v1::PostTweetRequest>::with<
        service::v1::PostTweetReply>,
    caf::replies_to<service::v1::DeleteTweetRequest>::with<
        service::v1::DeleteTweetReply>,
    caf::replies_to<service::v1::UserTimelineRequest>::with<
        service::v1::Tweets>,
    caf::replies_to<service::v1::GetTweetsRequest>::with<service::v1::Tweets>,
    caf::replies_to<service::v1::PullRequest>::with<service::v1::PullReply>>;

struct tweet_options {
  /// Opened with `partitions`; used by this actor alone.
  std::shared_ptr<store::tweet_store> store = {};
  std::uint32_t partition = 0;  // 0..partitions - 1
  std::uint32_t partitions = 1; // 1..1024
  store::writer_options writer = {};
};

/// Decides and commits the changes of a partition.
struct tweet_role {
  using change = tweet_change;

  [[nodiscard]] caf::expected<store::group_plan>
  plan(std::span<const tweet_request> group, const store::ownership& owner,
       store::key_ledger& keys, store::time_point now);

  tweet_core core;
  std::shared_ptr<store::tweet_store> store;
};

struct tweet_state {
  static inline const char* name = "tweet";
  /// Set when the actor starts.
  std::optional<store::log_writer<tweet_role>> writer;
};

/// Posts, deletes and reads tweets; publishes the log. Ends with errc::fenced
/// when another actor took over its log.
/// Spawn it detached: its handlers wait for the disk.
tweet_actor::behavior_type
tweet(tweet_actor::stateful_pointer<tweet_state> self, tweet_options options);

} // namespace rookery::actors
