#pragma once

#include <cstdint>
#include <optional>
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

  friend bool operator==(const queue_options&, const queue_options&) = default;
};

/// The first property or argument in which the two differ, by its AMQP name;
/// empty when they are the same.
[[nodiscard]] std::string_view first_difference(const queue_options& left,
                                                const queue_options& right);

} // namespace rookery::broker
