#pragma once

#include "broker/core/clock.hpp"
#include "broker/core/message.hpp"

#include <cstdint>

namespace rookery::broker {

/// A message in one queue, ready or held by a consumer.
struct entry {
  message_ptr message = nullptr;
  /// Rises: in the order of arrival until it is delivered, then in that of the
  /// deliveries.
  std::uint64_t position = 0;
  /// Deliveries that failed so far: AMQP's `delivery-count`.
  std::uint32_t delivery_count = 0;
  /// Deliveries that came back so far, failed or not.
  std::uint32_t returned_count = 0;
  /// When it is worth nothing any more; a return does not change it.
  time_point expires_at = never;
};

} // namespace rookery::broker
