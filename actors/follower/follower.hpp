#pragma once

#include "actors/follower/follower_core.hpp"
#include "actors/store/follow_store.hpp"
#include "actors/store/log_writer.hpp"

#include "rookery/service/v1/follow.pb.h"

#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace rookery::actors {

/// The writer of one shard's part of the graph.
using follower_actor = store::log_actor::extend<
    caf::replies_to<service::v1::FollowRequest>::with<service::v1::FollowReply>,
    caf::replies_to<service::v1::UnfollowRequest>::with<
        service::v1::FollowReply>,
    caf::replies_to<service::v1::ImportEdgesRequest>::with<
        service::v1::ImportEdgesReply>,
    caf::replies_to<service::v1::EdgesRequest>::with<service::v1::EdgesReply>>;

struct follower_options {
  /// Opened with `shards`; used by this actor alone.
  std::shared_ptr<store::follow_store> store = {};
  std::uint32_t shard = 0;  // 0..shards - 1
  std::uint32_t shards = 1; // 1..1024
  /// Its publisher leads to the shard.
  store::writer_options writer = {};
};

/// Decides and commits the changes of a shard's graph.
struct follower_role {
  using change = follow_change;

  [[nodiscard]] caf::expected<store::group_plan>
  plan(std::span<const follow_request> group, const store::ownership& owner,
       store::key_ledger& keys, store::time_point now);

  follower_core core;
  std::uint32_t shard;
  std::shared_ptr<store::follow_store> store;
};

struct follower_state {
  static inline const char* name = "follower";
  /// Set when the actor starts.
  std::optional<store::log_writer<follower_role>> writer;
};

/// Follows, unfollows, imports, and pages edges; publishes the log. Ends with
/// errc::fenced when another actor took over its log.
/// Spawn it detached: its handlers wait for the disk.
follower_actor::behavior_type
follower(follower_actor::stateful_pointer<follower_state> self,
         follower_options options);

} // namespace rookery::actors
