#pragma once

#include <caf/allowed_unsafe_message_type.hpp>

#include <string>

namespace rookery::bridge {

/// What an actor that asked by `bridge::when_ready` gets when there is room to
/// send again, and when the bridge stops, after which every send ends as
/// errc::closed. Local to the system: it never travels.
struct send_ready {
  /// Of the destination, as `to_string(address)`.
  std::string to;
};

} // namespace rookery::bridge

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rookery::bridge::send_ready)
