#pragma once

namespace rookery::amqp {

// Names of conditions of AMQP 1.0, part 2, sections 2.8.14 to 2.8.16, for who
// ends a connection.
inline constexpr auto framing_error = "amqp:connection:framing-error";
inline constexpr auto decode_error_name = "amqp:decode-error";
inline constexpr auto not_allowed = "amqp:not-allowed";
inline constexpr auto illegal_state = "amqp:illegal-state";
inline constexpr auto resource_limit = "amqp:resource-limit-exceeded";

} // namespace rookery::amqp
