#pragma once

#include "bridge/amqp/outgoing.hpp"
#include "bridge/border/lease_clock.hpp"
#include "bridge/border/settle_lane.hpp"
#include "bridge/bridge_options.hpp"
#include "bridge/caf/monitor_table.hpp"
#include "bridge/caf/watcher_table.hpp"
#include "bridge/core/pending_requests.hpp"
#include "bridge/environment.hpp"
#include "bridge/errc.hpp"
#include "bridge/observer.hpp"
#include "bridge/spill/spill.hpp"
#include "bridge/type_registry.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/attachable.hpp>
#include <caf/mailbox_element.hpp>
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

namespace google::protobuf {
class Message;
}

namespace rookery::amqp {
struct envelope_view;
}

namespace rookery::bridge {

struct destination;

/// The counters of a bridge, written by many threads.
struct live_counters {
  std::atomic<std::uint64_t> sent = 0, accepted = 0, released = 0, rejected = 0,
                             modified = 0, unknown = 0, queue_full = 0,
                             unencodable = 0, received = 0, undecodable = 0,
                             failed = 0, late_replies = 0, done = 0,
                             done_missing = 0, reconnects = 0, duplicates = 0,
                             refused = 0, expired = 0, deliveries_expired = 0,
                             dropped = 0, given_up = 0, too_many_requests = 0,
                             closed = 0, unanswered = 0, packed = 0,
                             returned = 0;

  [[nodiscard]] bridge_counters snapshot() const;
};

/// Waits to hear whether somebody serves an address. Told once, as something
/// that is attached to an actor is, or by `done`.
struct resolution final : caf::attachable {
  explicit resolution(std::function<void(caf::error)> f) : done{std::move(f)} {}
  void actor_exited(const caf::error& why, caf::execution_unit*) override {
    done(why ? why : caf::make_error(errc::target_down, "it has ended"));
  }
  std::function<void(caf::error)> done;
};

/// A send whose end somebody waits for.
struct waiting_send {
  enum class kind_type : std::uint8_t {
    request, // the sender waits for a reply
    done,    // level `done`: a reply ends it, which is only counted
    stored,  // the outcome ends it
    watch    // likewise; it asked to watch, under the same number
  };

  kind_type kind = kind_type::request;
  caf::strong_actor_ptr proxy = {}; // in whose name the reply comes
  caf::strong_actor_ptr sender = {};
  caf::message_id id = {};
  // No request: what was sent, if the sender is to be told of its loss.
  caf::message what = {};
  // Through whom the reply comes to the sender; the next is the last of them.
  caf::mailbox_element::forwarding_stack stages = {};
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

  /// Whether `text` is the address of a queue, as every answer's must be: what
  /// goes elsewhere may end the link of all answers, or its session.
  [[nodiscard]] bool is_queue(std::string_view text) const;

  /// Notes a send, so that its reply or outcome finds the way back. A reply has
  /// time until `deadline`. False when too many wait.
  [[nodiscard]] bool expect(std::uint64_t number, waiting_send who,
                            clock::time_point deadline);
  /// Whether it would be true now.
  [[nodiscard]] bool may_expect();
  [[nodiscard]] std::optional<waiting_send> take_waiting(std::uint64_t number);
  /// It has ended, however it did: the file, if it has it, need not keep it.
  void ended(const amqp::outgoing& what) {
    if (spilled)
      spilled->ended(what);
  }
  /// A send went wrong: tells whoever waits for its end, and the observer
  /// unless that is a reply.
  void lost(const amqp::outgoing& what, errc why, const std::string& text);
  /// Ends every send whose reply is overdue. @thread proton
  void expire_waiting(clock::time_point now);
  /// Ends every send that waits: nothing can come any more.
  void give_up_waiting();

  /// Asks who serves `to` to be told when that ends, for `who`, which was
  /// attached to the proxy `of`. @returns why `who`, untouched, is to be told
  /// now
  [[nodiscard]] caf::error watch(destination& to, const caf::abstract_actor* of,
                                 caf::attachable_ptr& who, bool link);
  /// Asks whether somebody serves `to`; `who` is told, by `timeout`.
  void resolve(destination& to, std::unique_ptr<resolution> who,
               std::chrono::milliseconds timeout);
  /// Ends the watches of `of` that match. @returns how many
  std::size_t unwatch(const caf::abstract_actor* of,
                      const caf::attachable::token& which);
  /// The same of links whose watcher has ended like that.
  void end_links(const caf::abstract_actor* of,
                 const caf::attachable::token& which, const caf::error& exit);
  /// Tells those that are to be told that what they watched has ended.
  void tell_watching();
  /// A message of the bridge's own, without a place in any order.
  [[nodiscard]] std::string
  encode_control(const google::protobuf::Message& body,
                 const std::string& to = {});
  /// Sends it, to an AMQP address.
  void send_control(const google::protobuf::Message& body,
                    const std::string& to);

  /// Ends one delivery; `early`: see settlement. Never blocks, never refuses.
  void settle(std::uint64_t delivery, outcome how, bool early = false);

  /// Whether as many answers wait as a send queue holds. There is room for
  /// those to what is under way, if they are short, but what makes more must
  /// wait.
  [[nodiscard]] bool answers_wait() const;

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
  /// Control messages, for another such link: they wait behind nothing else.
  const std::shared_ptr<amqp::outgoing_queue> control;
  /// Takes a control message that came; false: it must come again. `target`:
  /// who serves the address it came to, or did last, 0 = nobody yet; nothing =
  /// it came to the reply queue. Set by the bridge. @thread proton
  std::function<bool(const amqp::envelope_view&, std::optional<std::uint64_t>)>
      on_control;

  settle_lane settlements;
  lease_clock lease;
  live_counters counters;
  std::atomic<std::uint64_t> replies_sent = 0;  // numbers their message ids
  std::atomic<std::uint64_t> controls_sent = 0; // the same
  monitor_table monitors;
  watcher_table watchers;

private:
  [[nodiscard]] std::unique_ptr<spill> make_spill();
  [[nodiscard]] caf::error begin_watch(destination& to,
                                       monitor_table::watch what,
                                       const caf::abstract_actor* of,
                                       caf::attachable_ptr& who,
                                       clock::time_point deadline);
  std::vector<waiting_send> take_overdue(clock::time_point now);
  // Tells who waits, or whoever may want to log it.
  void end(const waiting_send& who, errc why, const std::string& text);

  std::shared_ptr<observer> watcher_;
  std::mutex wake_mutex_; // guards wake_
  std::function<void()> wake_;
  std::mutex pending_mutex_; // guards pending_
  pending_requests<waiting_send> pending_;

public:
  /// Null without `bridge_options::spill`. The last member: its thread uses the
  /// others.
  const std::unique_ptr<spill> spilled;
};

/// Its reply: what the remote actor answered, for the next stage or the sender,
/// as of a promise of that actor.
void answer(waiting_send who, caf::message what);

/// Tells the sender, past all stages, if it is to be told: answers its request
/// as if the remote actor had, or with a `send_lost`.
void fail(const waiting_send& who, caf::error error);

} // namespace rookery::bridge
