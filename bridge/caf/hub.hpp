#pragma once

#include "bridge/amqp/outgoing.hpp"
#include "bridge/border/lease_clock.hpp"
#include "bridge/border/settle_lane.hpp"
#include "bridge/bridge_options.hpp"
#include "bridge/core/pending_requests.hpp"
#include "bridge/environment.hpp"
#include "bridge/errc.hpp"
#include "bridge/observer.hpp"
#include "bridge/type_registry.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/message.hpp>
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
                             done_missing = 0, reconnects = 0, duplicates = 0,
                             refused = 0, expired = 0, deliveries_expired = 0,
                             dropped = 0, given_up = 0;

  [[nodiscard]] bridge_counters snapshot() const;
};

/// A send whose end somebody waits for.
struct waiting_send {
  enum class kind_type : std::uint8_t {
    request, // the sender waits for a reply
    done,    // level `done`: a reply ends it, which is only counted
    stored   // the outcome ends it
  };

  kind_type kind = kind_type::request;
  caf::strong_actor_ptr proxy; // in whose name the reply comes
  // Null, if it is no request: nobody is to be told of its loss.
  caf::strong_actor_ptr sender = {};
  caf::message_id id = {};
  caf::message what = {}; // no request: what was sent, for the sender
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

  /// Notes a send, so that its reply or outcome finds the way back. A reply has
  /// time until `deadline`. False when too many wait.
  [[nodiscard]] bool expect(std::uint64_t number, waiting_send who,
                            clock::time_point deadline);
  [[nodiscard]] std::optional<waiting_send> take_waiting(std::uint64_t number);
  /// A send went wrong: tells whoever waits for its end, and the observer
  /// unless that is a reply.
  void lost(const amqp::outgoing& what, errc why, const std::string& text);
  /// Ends every send whose reply is overdue. @thread proton
  void expire_waiting(clock::time_point now);
  /// Ends every send that waits: nothing can come any more.
  void give_up_waiting();

  /// Ends one delivery; `early`: see settlement. Never blocks, never refuses.
  void settle(std::uint64_t delivery, outcome how, bool early = false);

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
  std::vector<waiting_send> take_overdue(clock::time_point now);

  std::shared_ptr<observer> watcher_;
  std::mutex wake_mutex_; // guards wake_
  std::function<void()> wake_;
  std::mutex pending_mutex_; // guards pending_
  pending_requests<waiting_send> pending_;
};

/// Tells the sender, if there is one: answers its request as if the remote
/// actor had, or with a `send_lost`.
void fail(const waiting_send& who, caf::error error);

} // namespace rookery::bridge
