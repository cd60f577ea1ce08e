#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/message.hpp>

namespace rookery::bridge {

/// What the sender of an asynchronous message gets when that is lost, or may
/// be, and it was sent through a handle with `send_options::tell_losses`. At
/// most one for each message. Which codes mean that nobody handled it, and
/// which that somebody may have, is in docs/DELIVERY.md.
///
/// Local to the system: it never travels. CAF shows it as its type's name.
struct send_lost {
  /// The handle it was sent through.
  caf::strong_actor_ptr to;
  /// What was sent.
  caf::message what;
  /// An errc, or the remote handler's error at level `done`.
  caf::error why;
};

} // namespace rookery::bridge

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rookery::bridge::send_lost)
