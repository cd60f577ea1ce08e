#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace rookery::bridge {

/// The AMQP type of a message-id or correlation-id. Kept, because a client
/// that numbers its requests with a ulong must find a ulong in the reply.
enum class id_kind : std::uint8_t { string, ulong, uuid, binary };

/// What crosses nodes: one message and what an AMQP broker must know of it.
/// A value that owns its bytes. Empty strings mean "absent".
/// Ids are canonical text: a ulong in decimal, a uuid as 8-4-4-4-12 lower case
/// hex digits, binary as lower case hex digits. `to` and `reply_to` are
/// addresses as the broker spells them (see broker_profile), not `address`es:
/// a foreign client may ask for replies at a place only its broker understands.
struct envelope {
  /// "<stream>-<seq>" when we send: unique, and the same on every attempt.
  std::string message_id;
  /// Set only where the link has no fixed target.
  std::string to;
  /// Full name of the Protobuf message in the body; the subject in AMQP.
  std::string type;
  /// Where the answer goes; not empty exactly when the origin waits for one.
  std::string reply_to;
  /// In an answer: the message-id of the request.
  std::string correlation_id;
  std::string content_type;
  /// W3C trace context, opaque to the bridge.
  std::string trace_parent;
  std::string trace_state;
  std::string body;

  id_kind message_id_kind = id_kind::string;
  id_kind correlation_id_kind = id_kind::string;

  /// How long the message is worth delivering, counted by the broker.
  std::optional<std::chrono::milliseconds> ttl;
  /// 0..9; 4 is normal.
  std::uint8_t priority = 4;
  /// Whether the broker must keep the message through a restart.
  bool durable = true;

  /// Unsuccessful earlier deliveries. Set by the broker, never sent by us.
  std::uint32_t delivery_count = 0;
  /// False: somebody was handed the message before. Nothing: broker is silent.
  std::optional<bool> first_acquirer;

  /// Whether somebody may have seen this message before.
  [[nodiscard]] bool redelivered() const noexcept {
    return delivery_count > 0 || !first_acquirer.value_or(true);
  }

  friend bool operator==(const envelope&, const envelope&) = default;
};

} // namespace rookery::bridge
