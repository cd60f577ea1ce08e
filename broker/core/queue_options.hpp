#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::broker {

/// What a full queue does with one message more.
enum class overflow_policy : std::uint8_t {
  /// Takes it and drops the oldest ready one, counted.
  drop_head,
  /// Refuses it: the publisher is told `rejected`.
  reject_publish,
};

/// The properties and arguments a queue is declared with. The defaults are
/// those of a RabbitMQ 4 quorum queue.
struct queue_options {
  /// Remembered and compared only: this broker keeps nothing on disk.
  bool durable = true;
  /// Only the declaring connection may use it; it goes with that connection.
  bool exclusive = false;
  /// It goes with its last consumer; never before its first one.
  bool auto_delete = false;
  /// `x-single-active-consumer`: one consumer at a time gets messages.
  bool single_active_consumer = false;
  /// `x-max-length`: ready messages that no credit waits for.
  std::optional<std::uint64_t> length_max = std::nullopt;
  /// `x-max-length-bytes`: bytes of the ready messages while no credit waits.
  std::optional<std::uint64_t> bytes_max = std::nullopt;
  /// `x-overflow`: what happens at either limit.
  overflow_policy overflow = overflow_policy::drop_head;
  /// `x-delivery-limit`: a message that came back more often than this is
  /// dropped, counted; negative: never. Every return counts, as in RabbitMQ
  /// 4.0.5; 4.3 counts the failed ones only.
  std::int64_t delivery_limit = 20;
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

  friend bool operator==(const queue_options&, const queue_options&) = default;
};

/// The first property or argument in which the two differ, by its AMQP name;
/// empty when they are the same.
[[nodiscard]] std::string_view first_difference(const queue_options& left,
                                                const queue_options& right);

} // namespace rookery::broker
