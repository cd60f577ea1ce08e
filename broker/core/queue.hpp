#pragma once

#include "broker/core/byte_budget.hpp"
#include "broker/core/consumer_group.hpp"
#include "broker/core/event.hpp"
#include "broker/core/queue_counts.hpp"
#include "broker/core/queue_options.hpp"
#include "broker/core/ready_messages.hpp"
#include "broker/core/run_list.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::broker {

/// What became of a published message in one queue.
enum class push_outcome : std::uint8_t {
  accepted,
  /// `x-max-length` with `reject-publish`.
  length_reached,
  /// `x-max-length-bytes` with `reject-publish`.
  bytes_reached,
  /// The queue holds as much as the broker allows any queue.
  queue_full,
  /// All queues together hold as much as the broker allows.
  host_full,
};

/// A sentence for the publisher's error; empty for `accepted`.
[[nodiscard]] std::string_view to_string(push_outcome how);

/// Why a consumer is detached; decides the delivery count of what it held.
enum class detach_reason : std::uint8_t {
  /// Its link was closed in order: unchanged.
  closed,
  /// Its session or connection ended around it: + 1.
  failed,
};

/// What a queue shares with its virtual host; both outlive it.
struct queue_environment {
  byte_budget& budget;
  run_list& runnable;
  /// What one queue may hold, ready and unsettled, whatever it was declared
  /// with; a message above it is refused.
  std::uint64_t bytes_max;
};

/// One queue: messages in order, their consumers, its limits.
///
/// Nothing here calls out. Commands only change the state, and `next` gives
/// what is to be sent, one event a call, when the shell has room for it. So a
/// consumer that settles or detaches while it is being served meets no
/// half-done command, and a credit of a million is no burst. With `next` called
/// until it returns false after each command, it does in each step what
/// RabbitMQ's quorum queue does. Lives on one thread, with its virtual host.
class queue : private run_node {
public:
  queue(std::string name, const queue_options& options, connection_id owner,
        const queue_environment& environment);
  ~queue();

  /// Appends a message, or refuses it and changes nothing. Limits of length
  /// count what waits beyond all usable credit, so a message that a consumer
  /// is about to get never meets one.
  push_outcome push(const message_ptr& message);
  /// Removes all ready messages. @returns their number.
  std::size_t purge();

  void attach(consumer_ptr joined);
  /// Ends a consumer; what it held goes back to its place. Only when attached
  /// here. @returns the number that went back or met the delivery limit.
  std::size_t detach(consumer& left, detach_reason why);
  void set_credit(consumer& whose, std::uint32_t credit, bool drain);
  void set_paused(consumer& whose, bool paused);
  bool settle(consumer& whose, delivery_id id, outcome how);

  /// Takes the next thing to tell a consumer. @returns false, `into`
  /// untouched, when there is none. The consumer is valid until the next
  /// command.
  bool next(event& into);
  /// Whether `next` would give something.
  [[nodiscard]] bool runnable() const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const queue_options& options() const { return options_; }
  /// The connection that declared it.
  [[nodiscard]] connection_id owner() const { return owner_; }
  [[nodiscard]] queue_counts counts() const;
  [[nodiscard]] const consumer_group& consumers() const { return group_; }

private:
  friend class virtual_host;

  [[nodiscard]] push_outcome admit(const message& fresh) const;
  void deliver(consumer& to, event& into);
  bool next_drained(event& into);
  void stop_draining(consumer& whose);
  void take_back(entry returned, bool failed);
  void give_up(const entry& gone, std::uint64_t& counter);
  /// Ends every command: usable credit may have changed.
  void settle_down();
  void drop_excess();
  void wake();

  std::string name_;
  queue_options options_;
  connection_id owner_;
  queue_environment environment_;
  ready_messages ready_;
  consumer_group group_;
  /// Those who asked to drain and were not answered yet; not owned.
  std::vector<consumer*> draining_;
  /// The next message's position.
  std::uint64_t position_next_ = 0;
  /// `ready`, `ready_bytes` and `consumers` are filled in by `counts`.
  queue_counts counts_;
};

} // namespace rookery::broker
