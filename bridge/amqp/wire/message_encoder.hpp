#pragma once

#include "bridge/envelope.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace rookery::amqp {

/// Appends `x` as one AMQP message to `out`: header, properties, application
/// properties where there is a trace context, one Data section. Same input,
/// same bytes. Allocates nothing when `out` has room. An id whose text does
/// not fit its kind goes out as a string. Delivery count and first acquirer
/// are the broker's to set and are left out. Parts must be below 4 GiB.
/// @thread any
void encode_message(const bridge::envelope& x, std::string& out);

/// A header section alone, to stand in front of a message without one. With a
/// `ttl` no longer than before it is no longer than that was.
[[nodiscard]] std::string encode_header(bool durable, std::uint8_t priority,
                                        std::chrono::milliseconds ttl);

/// As encode_message, but stops in front of the payload: the caller appends
/// exactly `body_bytes` bytes, for example by serializing straight into `out`
/// (which has room for them). `x.body` is not looked at.
void encode_head(const bridge::envelope& x, std::size_t body_bytes,
                 std::string& out);

/// Stops in front of the body: the caller appends its sections.
void encode_front(const bridge::envelope& x, std::string& out);

} // namespace rookery::amqp
