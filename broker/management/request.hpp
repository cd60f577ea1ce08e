#pragma once

#include "bridge/expected.hpp"
#include "broker/management/value.hpp"

#include <string>
#include <string_view>

namespace rookery::broker {

/// A request as RabbitMQ's clients send it: HTTP in AMQP properties.
/// @source RabbitMQ 4, rabbit_amqp_management.erl; HTTP over AMQP 1.0, WD 06.
struct management_request {
  /// The encoded message-id, to be given back as it came.
  std::string id;
  /// "PUT", "GET", ...
  std::string method;
  /// Path and query, escapes and all.
  std::string target;
  value body;
};

/// On failure: one sentence for the reason of the session's end.
[[nodiscard]] bridge::expected<management_request, std::string>
parse_request(std::string_view message);

/// The message that answers the request `id`.
[[nodiscard]] std::string encode_response(std::string_view id, int status,
                                          const value& body);

} // namespace rookery::broker
