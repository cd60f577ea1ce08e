#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::broker {

/// `x-queue-type`. Both live in memory and behave as RabbitMQ's quorum queues
/// do, but for what is said here.
enum class queue_type : std::uint8_t {
  /// Has a delivery limit also where none was said; durable and shared.
  quorum,
  /// Has only the one it was declared with; may be transient, exclusive and
  /// auto-delete.
  classic,
};

/// What a full queue does with one message more.
enum class overflow_policy : std::uint8_t {
  /// Takes it and drops the one that was to go next, counted.
  drop_head,
  /// Once a limit is passed, by one message, it refuses: publishers are told
  /// `rejected` until no more than four fifths of the limit wait.
  reject_publish,
};

/// The properties and arguments a queue is declared with. What was not said is
/// not the same as a default that was: as in RabbitMQ, a queue keeps its
/// arguments, tells them, and compares them when it is declared again.
struct queue_options {
  queue_type type = queue_type::quorum;
  /// Remembered and compared only: this broker keeps nothing on disk.
  bool durable = true;
  /// Only the declaring connection may use it; it goes with that connection.
  bool exclusive = false;
  /// It goes with its last consumer; never before its first one.
  bool auto_delete = false;
  /// `x-single-active-consumer`: one consumer at a time gets messages.
  std::optional<bool> single_active_consumer = std::nullopt;
  /// `x-max-length`: ready messages that no credit waits for.
  std::optional<std::uint64_t> length_max = std::nullopt;
  /// `x-max-length-bytes`: bytes of the ready messages while no credit waits.
  std::optional<std::uint64_t> bytes_max = std::nullopt;
  /// `x-overflow`: what happens at either limit; `drop_head` where not said.
  std::optional<overflow_policy> overflow = std::nullopt;
  /// `x-delivery-limit`: a message that came back more often than this is
  /// dropped, counted; negative: never. Every return counts, as in RabbitMQ
  /// 4.0.5; 4.3 counts the failed ones only.
  std::optional<std::int64_t> delivery_limit = std::nullopt;
  /// `x-message-ttl`: a message at the head that waited for longer is given up.
  /// A message's own `ttl` counts where it is shorter. What stands behind a
  /// longer-lived head waits for it. 0 becomes 1 ms, as in RabbitMQ.
  std::optional<std::chrono::milliseconds> message_ttl = std::nullopt;
  /// `x-expires`: the queue goes when for so long it had no consumer. Above 0.
  std::optional<std::chrono::milliseconds> expires = std::nullopt;
  /// `x-dead-letter-exchange`, empty for the default one: what was refused, had
  /// waited or come back too often or was dropped as the head goes there. At
  /// most once: where nobody takes it, it is lost.
  std::optional<std::string> dead_letter_exchange = std::nullopt;
  /// `x-dead-letter-routing-key`. Only with an exchange.
  std::optional<std::string> dead_letter_key = std::nullopt;
  /// `x-dead-letter-strategy` was said to be at-most-once; there is no other.
  bool at_most_once = false;

  friend bool operator==(const queue_options&, const queue_options&) = default;
};

/// How often a message may come back; nothing: for ever.
[[nodiscard]] std::optional<std::int64_t>
delivery_limit(const queue_options& of);

/// The first property or argument in which the two differ, by its AMQP name;
/// empty when they are the same.
[[nodiscard]] std::string_view first_difference(const queue_options& left,
                                                const queue_options& right);

} // namespace rookery::broker
