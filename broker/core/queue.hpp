#pragma once

#include "broker/core/byte_budget.hpp"
#include "broker/core/clock.hpp"
#include "broker/core/consumer_group.hpp"
#include "broker/core/dead_letters.hpp"
#include "broker/core/due_list.hpp"
#include "broker/core/event.hpp"
#include "broker/core/queue_counts.hpp"
#include "broker/core/queue_options.hpp"
#include "broker/core/ready_messages.hpp"
#include "broker/core/run_list.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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

/// What a queue shares with its virtual host; all of it outlives the queue.
struct queue_environment {
  byte_budget& budget;
  run_list& runnable;
  due_list& due;
  dead_letters& dead;
  const clock& time;
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
  /// The same for a dead letter, which `reject-publish` does not refuse, as in
  /// RabbitMQ: only publishers are told to stop.
  push_outcome push_letter(const message_ptr& message);
  /// Removes all ready messages. @returns their number.
  std::size_t purge();

  void attach(consumer_ptr joined);
  /// Ends a consumer; what it held goes back in the order it was delivered.
  /// Only when attached here.
  /// @returns the number that went back or met the delivery limit
  std::size_t detach(consumer& left, detach_reason why);
  void set_credit(consumer& whose, std::uint32_t credit, bool drain);
  void set_paused(consumer& whose, bool paused);
  /// `notes` are for the dead letter, if `how` makes one.
  bool settle(consumer& whose, delivery_id id, outcome how, notes_ptr notes);

  /// Gives up what has waited too long. @returns whether the queue itself is to
  /// go, by `x-expires`.
  [[nodiscard]] bool pass_time(time_point now);

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

  [[nodiscard]] bool fits(const message& fresh) const;
  /// Appends it, if `how` says so and all queues have room.
  push_outcome take(const message_ptr& message, push_outcome how);
  /// `x-expires` counts from now on.
  void start_unused();
  void deliver(consumer& to, event& into);
  bool next_drained(event& into);
  void stop_draining(consumer& whose);
  void take_back(entry returned, outcome how);
  void give_up(const entry& gone, std::uint64_t& counter);
  /// As `give_up`, and it becomes a dead letter where the queue has them; then
  /// it counts against the budget until it is published.
  void bury(const entry& gone, std::uint64_t& counter, death_reason why,
            notes_ptr notes = nullptr);
  [[nodiscard]] time_point expiry_of(const message& fresh) const;
  void expire_heads(time_point now);
  /// Ends every command: usable credit may have changed.
  void settle_down();
  /// Does what `x-overflow` says at the limits of length and bytes.
  void mind_limits();
  /// The limit that is passed, as it is said to publishers; else `accepted`.
  [[nodiscard]] push_outcome over_limit() const;
  [[nodiscard]] bool far_below_limits() const;
  /// Messages that no usable credit waits for.
  [[nodiscard]] std::uint64_t excess() const;
  void wake();
  /// Sees to it that `pass_time` is called when there is something to expire.
  void mind_time();

  std::string name_;
  queue_options options_;
  connection_id owner_;
  queue_environment environment_;
  std::optional<std::int64_t> delivery_limit_;
  std::shared_ptr<const dead_letter_policy> policy_; // null: none
  due_list::place due_;
  time_point unused_since_ = never; // never where nobody wants to know
  ready_messages ready_;
  consumer_group group_;
  /// Those who asked to drain and were not answered yet; not owned.
  std::vector<consumer*> draining_;
  /// What `reject-publish` tells publishers: the limit that was passed.
  push_outcome refusal_ = push_outcome::accepted;
  /// The next message's position.
  std::uint64_t position_next_ = 0;
  /// `ready`, `ready_bytes` and `consumers` are filled in by `counts`.
  queue_counts counts_;
};

} // namespace rookery::broker
