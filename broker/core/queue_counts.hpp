#pragma once

#include <cstddef>
#include <cstdint>

namespace rookery::broker {

/// What a queue holds and what became of everything it ever took. At every
/// moment `published` = `ready` + `unsettled` + `accepted` + `rejected` +
/// `undeliverable` + `expired` + `dropped_overflow` + `dropped_delivery_limit`
/// + `purged`.
struct queue_counts {
  /// Messages that wait, and their bytes.
  std::uint64_t ready = 0;
  std::uint64_t ready_bytes = 0;
  /// Messages that consumers hold.
  std::uint64_t unsettled = 0;
  /// What ready and unsettled messages cost together; see `cost_of`.
  std::uint64_t held_cost = 0;
  std::size_t consumers = 0;

  /// Messages taken from publishers, and those refused.
  std::uint64_t published = 0;
  std::uint64_t refused = 0;
  /// Deliveries to consumers; of these, of messages that had come back.
  std::uint64_t delivered = 0;
  std::uint64_t redelivered = 0;

  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t undeliverable = 0;
  /// Outcomes that returned a message, and returns by a consumer's end.
  std::uint64_t released = 0;
  std::uint64_t failed = 0;
  std::uint64_t abandoned = 0;

  std::uint64_t expired = 0;
  std::uint64_t dropped_overflow = 0;
  std::uint64_t dropped_delivery_limit = 0;
  std::uint64_t purged = 0;
};

} // namespace rookery::broker
