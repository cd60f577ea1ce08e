#pragma once

#include <cstdint>

namespace rookery::broker {

/// What a consumer says of one delivery.
enum class outcome : std::uint8_t {
  /// Done: the message goes.
  accepted,
  /// The message is bad: it goes, counted.
  rejected,
  /// Not wanted now: comes again, delivery count unchanged. From a quorum queue
  /// without a delivery limit as the last one, or it might come at once for
  /// ever.
  released,
  /// The same, but before those that were never delivered, in any queue.
  modified,
  /// Tried and failed: the same, and delivery count + 1.
  failed,
  /// Not for this consumer: the message goes, counted.
  undeliverable,
  /// The same, and it was tried.
  undeliverable_failed,
};

/// The outcome that AMQP's `modified` with these two flags stands for.
[[nodiscard]] constexpr outcome modified(bool delivery_failed,
                                         bool undeliverable_here) {
  if (undeliverable_here)
    return delivery_failed ? outcome::undeliverable_failed
                           : outcome::undeliverable;
  return delivery_failed ? outcome::failed : outcome::modified;
}

} // namespace rookery::broker
