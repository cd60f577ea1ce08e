#pragma once

#include "broker/core/virtual_host.hpp"

#include <cstddef>
#include <cstdint>

namespace rookery::broker {

/// What a broker allows its clients together and each of them.
struct broker_options {
  virtual_host_options host;

  /// One more link ends its session, as in RabbitMQ.
  std::uint32_t links_per_session_max = 256;
  /// Messages a publisher's link may have under way: granted at first, and
  /// filled up whenever half of it is used.
  std::uint32_t publisher_window = 1'000;
  /// Deliveries one consumer may hold unsettled; it gets no more until it
  /// settles some, whatever its credit.
  std::uint32_t unsettled_max = 65'536;
  /// Largest message a publisher may send, bytes.
  std::uint64_t message_bytes_max = 16ull << 20;

  /// A publisher to a queue that holds more than this (bytes with overhead,
  /// see `cost_of`) gets no more credit until it holds less than three
  /// quarters: a slow consumer slows its publishers. What a link's window and
  /// other ways to the queue still bring is refused at `host.queue_bytes_max`.
  /// Whose connection consumes the queue may fill it to twice as much: what it
  /// gives back by publishing it anew must find room, or nothing ever drains.
  std::uint64_t queue_high_water_bytes = 64ull << 20;
  /// The same for all queues together; it stops every publisher, at an eighth
  /// more who consumes.
  std::uint64_t host_high_water_bytes = 768ull << 20;

  /// Bytes that may wait in one connection for its socket; then its consumers
  /// are passed over until half of it went out.
  std::uint64_t output_bytes_max = 1ull << 20;
};

/// What a broker did since its start; the first block tells the present.
struct broker_counters {
  std::uint64_t connections = 0;
  std::uint64_t queues = 0;
  /// What all queues hold, bytes with overhead.
  std::uint64_t bytes_held = 0;
  /// Publishers that wait for a queue to drain.
  std::uint64_t publishers_stalled = 0;

  std::uint64_t connections_opened = 0;
  std::uint64_t attaches_refused = 0;
  /// For other reasons than an attach.
  std::uint64_t sessions_ended = 0;
  /// From publishers, and what became of them.
  std::uint64_t messages_in = 0;
  std::uint64_t messages_accepted = 0;
  std::uint64_t messages_released = 0; // unroutable
  std::uint64_t messages_rejected = 0;
  /// To consumers, redeliveries included.
  std::uint64_t messages_out = 0;
  dead_letter_counts dead_letters;
};

} // namespace rookery::broker
