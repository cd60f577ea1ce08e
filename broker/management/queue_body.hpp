#pragma once

#include "bridge/expected.hpp"
#include "broker/core/queue.hpp"
#include "broker/management/value.hpp"

#include <string>

namespace rookery::broker {

/// Why no queue can be declared so.
struct queue_fault {
  /// As RabbitMQ's: 409 for the value of an argument, else 400.
  int status = 400;
  /// Names what is wrong; empty where nothing is.
  std::string text = {};
};

/// The options that the body of "PUT /queues/:q" asks for; the arguments are
/// those of `queue_options`. A queue whose type is not said is a classic one,
/// as in RabbitMQ. Nothing is ignored.
[[nodiscard]] bridge::expected<queue_options, queue_fault>
parse_queue(const value& body);

/// What forbids a new queue with these options. A quorum queue is replicated in
/// RabbitMQ, for which it has to stay. A queue that exists is compared instead.
[[nodiscard]] queue_fault check_new(const queue_options& x);

/// What is told of a queue: its properties, arguments and counts.
[[nodiscard]] value describe(const queue& x);

} // namespace rookery::broker
