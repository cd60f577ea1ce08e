#pragma once

#include "bridge/expected.hpp"
#include "broker/core/queue.hpp"
#include "broker/management/value.hpp"

#include <string>

namespace rookery::broker {

/// The options that the body of "PUT /queues/:q" asks for. Arguments:
/// x-single-active-consumer, x-max-length, x-max-length-bytes, x-overflow
/// (drop-head, reject-publish), x-delivery-limit, and x-queue-type (classic,
/// quorum), which makes no difference here: all queues live in memory and
/// behave as RabbitMQ's quorum queues do.
/// On failure: a sentence that names what is wrong; nothing is ignored.
[[nodiscard]] bridge::expected<queue_options, std::string>
parse_queue(const value& body);

/// What is told of a queue: its properties, arguments and counts.
[[nodiscard]] value describe(const queue& x);

} // namespace rookery::broker
