#pragma once

#include <caf/error.hpp>
#include <caf/make_message.hpp> // CAF 0.17.6: CAF_ERROR_CODE_ENUM needs it

#include <cstdint>
#include <string>

namespace rookery::bridge {

/// Why the bridge could not do its part. Numbers are on the wire: they are
/// never reused. The context of the error says what was tried.
enum class errc : std::uint8_t {
  /// The send queue of the destination is full; try again later.
  queue_full = 1,
  /// No queue takes what was sent to this address.
  unroutable = 2,
  /// The broker or the receiver refused it; the context holds the reason.
  rejected = 3,
  /// The receiver failed on it and may not have finished.
  failed = 4,
  /// No reply came in time.
  reply_timeout = 5,
  /// Too many requests wait for replies.
  too_many_requests = 6,
  /// The bridge is stopping or has stopped.
  closed = 7,
  /// The message is not one registered Protobuf message, or not one that the
  /// address takes.
  unknown_type = 8,
  /// The bytes are not the message they claim to be.
  undecodable = 9,
  /// The message, or the answer, is longer than `message_bytes_max`, here or
  /// at the address.
  too_long = 10,
  /// The broker could not be reached in time.
  unreachable = 11,
  /// The broker refused a declaration or a link.
  refused = 12,
  /// The remote handler answered with an error that is not ours to name; the
  /// context holds its category, code and text.
  remote_error = 13,
  /// The target is gone and nobody restarts it.
  target_down = 14,
  /// Its time to live was over before it was sent, or before a handler had it.
  expired = 15,
  /// It was sent, and nobody said in time, or at all, what became of it.
  no_outcome = 16,
  /// Asked for by a handler: it cannot take the message now, another may.
  released = 17,
  /// Asked for by a handler: it will never be able to take the message.
  poison = 18,
};

/// One short name, as in the enumeration.
[[nodiscard]] std::string to_string(errc code);

} // namespace rookery::bridge

CAF_ERROR_CODE_ENUM(rookery::bridge::errc, "bridge")
