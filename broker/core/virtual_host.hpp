#pragma once

#include "broker/core/byte_budget.hpp"
#include "broker/core/errc.hpp"
#include "broker/core/exchange_table.hpp"
#include "broker/core/queue.hpp"
#include "broker/core/route.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rookery::broker {

/// The limits of a virtual host: nothing in it grows beyond them.
struct virtual_host_options {
  std::size_t queues_max = 10'000;
  std::size_t exchanges_max = 1'000;
  std::size_t bindings_max = 100'000;
  std::size_t consumers_per_queue_max = 1'000;
  /// What one queue may hold, ready and unsettled, each message with
  /// `message_overhead_bytes`; then publishers are told `rejected`, whatever
  /// the queue was declared with. A quarter of all, so that one forgotten
  /// queue does not stop the others.
  std::uint64_t queue_bytes_max = 256ull << 20;
  /// What all queues together may hold, counted likewise.
  std::uint64_t bytes_max = 1ull << 30;
  clock time = {};
};

/// What `declare_queue` found or made.
struct declared_queue {
  queue* target;
  bool created;
};

/// What `delete_queue` removed.
struct deleted_queue {
  bool existed = false;
  /// Messages that were ready.
  std::uint64_t message_count = 0;
  /// Its consumers, already detached: the shell ends their links.
  std::vector<consumer_ptr> cancelled;
};

/// The outcome for the publisher.
enum class publish_outcome : std::uint8_t {
  /// Every queue it leads to took the message.
  accepted,
  /// One or more refused; the others keep it.
  rejected,
  /// It leads to no queue.
  released,
  /// There is no such exchange (any more).
  no_exchange,
};

/// What became of dead letters.
struct dead_letter_counts {
  std::uint64_t published = 0; // to one queue at least
  std::uint64_t lost =
      0; // led nowhere, or round in a circle, or to full queues
};

struct publish_result {
  publish_outcome what = publish_outcome::released;
  /// Of `rejected`: the first refusal, and by whom; valid until the next
  /// command.
  push_outcome why = push_outcome::accepted;
  const queue* refused_by = nullptr;
};

/// The whole broker without a wire: queues, exchanges, bindings, consumers.
/// Names are logical: decoded, as `names.hpp` allows them. Commands are
/// refused by value, never by exception. After commands the shell calls `next`
/// until it returns false or there is no room to send. Lives on one thread.
class virtual_host {
public:
  explicit virtual_host(const virtual_host_options& options = {});

  /// Idempotent: the same options find the queue that is there, others are
  /// refused and the text names the first that differs. An exclusive queue
  /// belongs to `by`; for another connection it is locked.
  result<declared_queue> declare_queue(std::string_view name,
                                       const queue_options& options,
                                       connection_id by);
  /// With its messages, bindings and consumers; no error when it is not there.
  result<deleted_queue> delete_queue(std::string_view name, connection_id by);
  /// @returns the number of ready messages removed.
  result<std::size_t> purge_queue(std::string_view name, connection_id by);
  /// Null when there is none.
  [[nodiscard]] const queue* find_queue(std::string_view name) const;
  /// Calls `sink(const queue&)` for each, in no order.
  template <class Sink>
  void each_queue(Sink&& sink) const {
    for (const auto& [name, each] : queues_)
      sink(std::as_const(*each.owned));
  }

  /// See `exchange_table`.
  result<bool> declare_exchange(std::string_view name, exchange_type type,
                                bool durable);
  result<bool> delete_exchange(std::string_view name);
  result<bool> bind(std::string_view exchange, std::string_view queue,
                    std::string_view key, connection_id by);
  result<bool> unbind(std::string_view exchange, std::string_view queue,
                      std::string_view key, connection_id by);
  [[nodiscard]] const exchange_table& exchanges() const { return exchanges_; }

  /// Publishes to a link's fixed target.
  publish_result publish(route& to, const message_ptr& message);
  /// Publishes to a target that is the message's own (anonymous terminus).
  publish_result publish(std::string_view exchange, std::string_view key,
                         const message_ptr& message);

  /// Attaches a consumer without credit.
  result<consumer_ptr> attach(std::string_view queue,
                              const consumer_options& options);
  /// Ends a consumer; its queue goes too if that was the last and the queue is
  /// auto-delete. Does nothing when it was detached before.
  /// @returns the queue that went, for the shell to end the links to it
  std::optional<std::string> detach(consumer& left, detach_reason why);
  /// Ends what a connection leaves: its consumers (as failed) and its
  /// exclusive queues. Cost: one step per queue and consumer.
  /// @returns the queues that went, likewise
  std::vector<std::string> connection_closed(connection_id gone);

  /// Takes the next thing to tell a consumer; queues take turns. Dead letters
  /// are published meanwhile, a few a call.
  /// @returns false, `into` untouched, when there is none, or none yet: see
  /// `has_work`.
  bool next(event& into);
  /// Whether `next` must be called again, also without a command before.
  [[nodiscard]] bool has_work() const {
    return !dead_.empty() || runnable_.front() != nullptr;
  }

  /// When `pass_time` must be called; `never` while nothing expires.
  [[nodiscard]] time_point next_due() const { return due_.next(); }
  /// Gives up what has waited too long, until now; of much of it a part, and
  /// `next_due` stays in the past.
  /// @returns the queues that went, by `x-expires`; they had no consumers
  [[nodiscard]] std::vector<std::string> pass_time();

  [[nodiscard]] const dead_letter_counts& dead_counts() const {
    return dead_counts_;
  }

  /// What all queues hold together; see `virtual_host_options::bytes_max`.
  [[nodiscard]] std::uint64_t bytes_used() const { return budget_.used(); }

private:
  struct queue_record {
    std::unique_ptr<queue> owned;
    /// The same; the default exchange's destination points here.
    queue* self;
  };

  result<queue*> usable_queue(std::string_view name, connection_id by);
  /// @returns nothing when there is no such exchange
  [[nodiscard]] std::optional<std::span<queue* const>>
  resolve(std::string_view exchange, std::string_view key,
          std::vector<queue*>& room) const;
  void erase_queue(queue& gone);
  void publish_dead();

  virtual_host_options options_;
  byte_budget budget_;
  // These outlive the queues, which are linked through them.
  run_list runnable_;
  due_list due_;
  dead_letters dead_;
  exchange_table exchanges_;
  name_map<queue_record> queues_;
  /// Rises with every change that routes depend on.
  std::uint64_t epoch_ = 1;
  /// Events the front queue gave in its turn.
  std::size_t turn_ = 0;
  dead_letter_counts dead_counts_;
};

} // namespace rookery::broker
