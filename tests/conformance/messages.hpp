#pragma once

#include "tests/conformance/client_link.hpp"

#include <proton/message.hpp>
#include <proton/value.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::conformance {

/// A durable message whose body is `body`.
[[nodiscard]] proton::message text_message(const std::string& body);
/// The same, addressed for a link without a target.
[[nodiscard]] proton::message message_to(const std::string& to);

[[nodiscard]] std::string encoded(const proton::message& x);
/// @throws proton::error when it is no message
[[nodiscard]] proton::message decoded(std::string_view bytes);

// What scripts tell of messages and outcomes: one vocabulary for expected and
// observed.

/// The parts in one. They are made in their order, which `+` does not promise,
/// and in a script each may be a step.
[[nodiscard]] std::string told(std::initializer_list<std::string> parts);
[[nodiscard]] std::string joined(const texts& parts,
                                 std::string_view between = "; ");
/// The body, a string or bytes.
[[nodiscard]] std::string body_of(const proton::message& x);
/// The bodies with a blank between; "nothing" when there are none.
[[nodiscard]] std::string bodies_of(const std::vector<received>& all);
/// "first-acquirer=true delivery-count=0"
[[nodiscard]] std::string acquired(const proton::message& x);
/// The kind, and the condition where there is one.
[[nodiscard]] std::string text_of(const bridge::outcome& x);
/// The kind alone: RabbitMQ 4.0.5 gives no reason when a queue is full.
[[nodiscard]] std::string kind_of(const bridge::outcome& x);
/// A message annotation; "none" without it.
[[nodiscard]] std::string note(const proton::message& x, const char* key);

/// One entry of the annotation `x-opt-deaths`.
struct death {
  std::string queue;
  std::string reason;
  std::string count;
  std::string exchange;
  std::string routing_keys; // with a blank between
  std::string ttl;          // "none" without it
};
/// The latest first; none when it never died.
[[nodiscard]] std::vector<death> deaths_of(const proton::message& x);

} // namespace rookery::conformance
