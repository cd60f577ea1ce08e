#pragma once

#include "bridge/amqp/outgoing.hpp"
#include "bridge/border/lease_clock.hpp"
#include "bridge/border/settle_lane.hpp"
#include "bridge/bridge_options.hpp"
#include "bridge/core/pending_requests.hpp"
#include "bridge/environment.hpp"
#include "bridge/observer.hpp"
#include "bridge/type_registry.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/message_id.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::bridge {

/// The counters of a bridge, written by many threads.
struct live_counters {
  std::atomic<std::uint64_t> sent = 0, accepted = 0, released = 0, rejected = 0,
                             modified = 0, unknown = 0, queue_full = 0,
                             unencodable = 0, received = 0, undecodable = 0,
                             failed = 0, late_replies = 0, done = 0,
                             done_missing = 0, reconnects = 0, duplicates = 0;

  [[nodiscard]] bridge_counters snapshot() const;
};

/// Who waits for the reply to a request. Without `sender` nobody does: then it
/// is a send of level `done`, whose end is only counted.
struct waiting_request {
  caf::strong_actor_ptr sender;
  caf::message_id id;
  caf::strong_actor_ptr proxy; // in whose name the reply comes
};

/// What proxies, served addresses and the IO thread share. It outlives the
/// bridge as long as an actor holds a proxy; then everything sent is refused.
/// @thread any
class hub {
public:
  using clock = std::chrono::steady_clock;

  hub(caf::actor_system& system, type_registry types, bridge_options options,
      std::shared_ptr<observer> watcher, environment world);

  /// Makes `f` what wakes the IO thread; nothing = it is gone for good.
  void set_wake(std::function<void()> f);
  /// Something lies at the border. Cheap when nobody listens.
  void wake();

  /// Notes a request, so that its reply finds the way back. False when too
  /// many wait.
  [[nodiscard]] bool expect_reply(std::uint64_t number, waiting_request who);
  [[nodiscard]] std::optional<waiting_request>
  take_waiting(std::uint64_t number);
  /// Answers every request whose reply is overdue. @thread proton
  void expire_requests(clock::time_point now);
  /// Answers every request that waits: no reply can come any more.
  void give_up_requests();

  /// Ends one delivery. Never blocks, never refuses.
  void settle(std::uint64_t delivery, outcome how);

  /// Whether connection number `connection` still gives the right to work.
  [[nodiscard]] bool lease_held(std::uint64_t connection) const {
    return lease.held(world.now(), connection);
  }

  void report(observer::severity severity, std::string_view name,
              std::string_view text) noexcept {
    if (watcher_)
      watcher_->on_event(severity, name, text);
  }

  // Set before anything starts, then only read.
  caf::actor_system& system;
  const type_registry types;
  const bridge_options options;
  const environment world;
  /// Names this process incarnation in message ids: 16 hex digits.
  const std::string stream;
  /// The queue where replies to this node arrive, and its AMQP address.
  const std::string reply_queue;
  const std::string reply_to;
  /// Replies of ours, for the link without a target.
  const std::shared_ptr<amqp::outgoing_queue> replies;

  settle_lane settlements;
  lease_clock lease;
  live_counters counters;
  std::atomic<std::uint64_t> replies_sent = 0; // numbers their message ids

private:
  std::vector<waiting_request> take_overdue(clock::time_point now);

  std::shared_ptr<observer> watcher_;
  std::mutex wake_mutex_; // guards wake_
  std::function<void()> wake_;
  std::mutex pending_mutex_; // guards pending_
  pending_requests<waiting_request> pending_;
};

/// Answers `who` with `error`, as if the remote actor had.
void fail(const waiting_request& who, caf::error error);

} // namespace rookery::bridge
