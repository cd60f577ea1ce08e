#pragma once

#include "bridge/amqp/outgoing.hpp"
#include "bridge/amqp/wire/envelope_view.hpp"
#include "bridge/caf/hub.hpp"
#include "bridge/core/outcome.hpp"
#include "bridge/core/presence.hpp"

#include "rookery/bridge/v1/control.pb.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::bridge {

/// Other queues that a Watch may name, the rest is left out.
constexpr std::size_t watch_paths_max = 8;

/// Whether messages of that type are the bridge's own, for monitors and links.
[[nodiscard]] bool is_control(std::string_view type);

/// What begins `x`, or says it again.
[[nodiscard]] v1::Watch make_watch(const monitor_table::watch& x);

/// Monitors and links across nodes: what is said between two nodes, and when.
/// The messages are in control.proto.
///
/// *A watch is said again every second*, to the node where it has begun. So
/// nothing that is lost on the way matters for long: what a node does not know
/// begins again, or is answered by a Down; what is not said any more is
/// forgotten there. And what becomes of that message tells whether the node is
/// connected, see presence.
///
/// *An end is said behind everything the actor said*: over the reply queue,
/// which is how its answers come, and over each queue by which its messages may
/// reach the watcher. The watcher is told when all copies are there. When a
/// node is gone, its watchers' nodes say it to themselves, over the same
/// queues: what the dead node had sent is in front.
/// @thread proton
class watch_protocol {
public:
  using clock = hub::clock;
  /// Where messages to an AMQP address wait; null when nothing was sent there.
  using find_destination =
      std::function<std::shared_ptr<destination>(const std::string&)>;

  watch_protocol(hub& home, find_destination destination_to);

  /// A control message; `target` as for `hub::on_control`. @returns whether it
  /// was taken; else there is too much to do, and it should come again
  bool take(const amqp::envelope_view& x, std::optional<std::uint64_t> target);
  /// The connection is up: says again what a broker may have lost.
  void connected();
  void disconnected() { presence_.blind(); }
  /// What a control message came to.
  void on_outcome(const amqp::outgoing& what, const outcome& how);
  /// Sends what has become due. Call it at each turn.
  void turn();
  /// Looks after deadlines and peers. Call it every 50 ms.
  void check(clock::time_point now, bool up);
  /// This node leaves: its actors cannot be watched any more.
  void leave();
  /// Nothing waits to be sent.
  [[nodiscard]] bool idle() const { return outbox_.empty(); }

private:
  struct item {
    std::shared_ptr<amqp::outgoing_queue> queue;
    amqp::outgoing what;
    std::shared_ptr<spill_lane> lane = {}; // of `queue`, if it has one
  };

  void take_watch(const v1::Watch& x, const std::string& reply_to,
                  std::optional<std::uint64_t> target);
  void take_again(const v1::Watch& x, const std::string& reply_to);
  void take_begun(const v1::Watching& x, const std::string& peer);
  void take_down(v1::Down x, const std::string& peer, bool shared);
  void tell(watcher_table::notice x);
  void end_of_gone(const monitor_table::watch& x);
  void later(std::shared_ptr<amqp::outgoing_queue> queue, std::string bytes,
             std::shared_ptr<spill_lane> lane = {});
  [[nodiscard]] bool waits_for_spill(const item& x) const;
  void send_outbox();
  void forget_orphans();
  void say_again(clock::time_point now);

  hub& hub_;
  find_destination destination_to_;
  presence presence_;
  clock::time_point next_look_{};
  const std::uint64_t first_end_; // names the ends of actors here, see v1::Down
  std::uint64_t paths_of_ = 0; // watcher_table::changes when paths were renewed
  // In order, for each queue. Bounded by the two tables, and by what is taken.
  std::deque<item> outbox_;
};

} // namespace rookery::bridge
