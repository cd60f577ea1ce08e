#pragma once

#include "actors/fanout/fanout_core.hpp"
#include "proto/caf_message.hpp"

#include <caf/actor.hpp>
#include <caf/atom.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace rookery::actors {

/// To itself: one more quantum of expansion.
using work_atom = caf::atom_constant<caf::atom("work")>;

/// One shard of readers.
using fanout_actor =
    caf::typed_actor<caf::reacts_to<service::v1::LogBatch>,
                     caf::reacts_to<service::v1::LogHead>,
                     caf::replies_to<service::v1::HomeTimelineRequest>::with<
                         service::v1::HomeTimelineReply>,
                     caf::replies_to<service::v1::ShardStatusRequest>::with<
                         service::v1::ShardStatus>,
                     caf::replies_to<service::v1::DumpTimelinesRequest>::with<
                         service::v1::DumpTimelinesReply>,
                     caf::replies_to<service::v1::CompletionsRequest>::with<
                         service::v1::CompletionsReply>,
                     caf::reacts_to<work_atom>, caf::reacts_to<caf::tick_atom>>;

/// Whom a shard asks, and what it goes by.
struct fanout_wiring {
  /// The writers of tweets, by partition: options.tweet_partitions of them.
  std::vector<caf::actor> tweet_writers;
  /// The writer of this shard's follows.
  caf::actor follow_writer;
  /// The time; the default is the machine's.
  std::function<moment()> clock = {};
  /// Whether this node may still be the owner; once it says no, it is not
  /// asked again. Empty = always.
  std::function<bool()> lease = {};
};

struct fanout_state {
  static inline const char* name = "fanout";

  /// Deliveries and reads that were not answered yet, by token.
  std::map<std::uint64_t, caf::typed_response_promise<caf::unit_t>> batches;
  std::map<std::uint64_t,
           caf::typed_response_promise<service::v1::HomeTimelineReply>>
      reads;
  std::optional<fanout_core> core; // set when the actor starts
  fanout_wiring wiring;
  caf::timespan request_timeout{};
  std::uint64_t last_token = 0;
  bool over = false;    // the lease lapsed
  bool started = false; // a first message came: this node has the shard
  bool working = false; // a work_atom is under way
  bool ticking = false; // a tick_atom is under way
};

/// Applies logs, keeps home timelines, answers reads of them.
///
/// A node that only stands by for a shard has this actor too; it does nothing
/// until its first message, which the broker gives only to the owner. A
/// LogBatch is answered when it is expanded to the last follower, so that its
/// delivery is settled then. Expansion goes on in quanta, with a message to
/// itself in between, so that reads do not wait for celebrities.
///
/// The lease is looked at before each message is handled and before each
/// answer is given. When it has lapsed the actor ends with errc::lease_lapsed
/// and answers nothing: another node may have the shard by now, and what lies
/// in the mailbox is stale. A new actor begins anew.
/// @param options must be valid, see `validate`
fanout_actor::behavior_type
fanout(fanout_actor::stateful_pointer<fanout_state> self,
       fanout_options options, fanout_wiring wiring);

} // namespace rookery::actors
