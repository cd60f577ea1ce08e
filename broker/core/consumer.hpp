#pragma once

#include "broker/core/fwd.hpp"
#include "broker/core/note.hpp"
#include "broker/core/outcome.hpp"
#include "broker/core/service_list.hpp"
#include "broker/core/unsettled.hpp"

#include <cstddef>
#include <cstdint>

namespace rookery::broker {

/// Names a connection of the shell; the broker only compares it.
using connection_id = std::uint64_t;

/// How a link asks to consume.
struct consumer_options {
  /// Link property `rabbitmq:priority`; higher is served first.
  std::int32_t priority = 0;
  /// `snd-settle-mode` settled: a delivery counts as accepted when it is made.
  bool settled = false;
  connection_id connection = 0;
  /// The shell's own: comes back with every event of this consumer.
  void* context = nullptr;
};

/// One link that consumes from one queue. The queue and the link share it. When
/// the queue is deleted it is detached: every command is then a no-op that
/// returns false, so a link may find out late.
class consumer : private service_node {
public:
  explicit consumer(const consumer_options& options) : options_{options} {}

  /// The link's credit is now `credit`: so many deliveries more, counted from
  /// the last event taken, whatever was granted before. With `drain`, what the
  /// queue cannot use at once is given back by an event `drained`.
  bool set_credit(std::uint32_t credit, bool drain = false);
  /// A paused consumer keeps its credit and gets nothing: for a connection
  /// whose output is full.
  bool set_paused(bool paused);
  /// Finishes one delivery; `notes` are kept where it becomes a dead letter by
  /// that. @returns false, and changes nothing, when `id` is not unsettled
  /// here: late, repeated or invented.
  bool settle(delivery_id id, outcome how, notes_ptr notes = nullptr);

  [[nodiscard]] const consumer_options& options() const { return options_; }
  [[nodiscard]] bool attached() const { return queue_ != nullptr; }
  [[nodiscard]] const queue* source() const { return queue_; }
  [[nodiscard]] std::uint32_t credit() const { return credit_; }
  /// It waits for `drained`.
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] std::size_t unsettled_count() const {
    return unsettled_.size();
  }

private:
  friend class queue;
  friend class consumer_group;
  friend class virtual_host;

  consumer_options options_;
  /// Null before it is attached and after it is detached.
  queue* queue_ = nullptr;
  unsettled unsettled_;
  std::uint32_t credit_ = 0;
  /// The part of `credit_` that may be used now: all of it or nothing. In the
  /// service list exactly when above zero.
  std::uint32_t usable_ = 0;
  bool paused_ = false;
  /// In the queue's list of those who wait for `drained`.
  bool draining_ = false;
};

} // namespace rookery::broker
