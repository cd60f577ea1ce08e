#pragma once

#include "bridge/envelope.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::amqp {

/// A message-id or correlation-id as it stands on the wire.
struct id_view {
  bool present = false;
  bridge::id_kind kind = bridge::id_kind::string;
  /// The payload: text, 0, 1 or 8 big-endian bytes of a ulong, 16 bytes of a
  /// uuid, or binary.
  std::string_view bytes;
};

/// The canonical text of `x` (see bridge::envelope); empty when not present.
[[nodiscard]] std::string to_string(const id_view& x);

/// How the body was written.
enum class body_kind : std::uint8_t {
  /// Data sections; what we send.
  data,
  /// AmqpValue with a binary: what a Proton client sends by default.
  value_binary,
  /// AmqpValue with a string: JSON, or text typed by a human.
  value_string,
};

/// A decoded message. Its views point into the bytes it was decoded from and
/// are valid as long as those. Absent fields are empty.
struct envelope_view {
  id_view message_id;
  id_view correlation_id;
  std::string_view to;
  std::string_view type;
  std::string_view reply_to;
  std::string_view content_type;
  /// Not empty and not "identity": the body is compressed, unreadable to us.
  std::string_view content_encoding;
  std::string_view trace_parent;
  std::string_view trace_state;

  /// Milliseconds.
  std::optional<std::uint32_t> ttl;
  std::optional<bool> first_acquirer;
  std::uint32_t delivery_count = 0;
  std::uint8_t priority = 4;
  /// False when the header does not say, as the standard has it.
  bool durable = false;
  body_kind kind = body_kind::data;

  /// The body; Data sections are joined.
  [[nodiscard]] std::string_view body() const noexcept {
    return joined_body.empty() ? single_body : std::string_view{joined_body};
  }

  /// Whether somebody may have seen this message before.
  [[nodiscard]] bool redelivered() const noexcept {
    return delivery_count > 0 || !first_acquirer.value_or(true);
  }

  /// A copy that owns its bytes.
  [[nodiscard]] bridge::envelope to_envelope() const;
  /// The same without the body.
  [[nodiscard]] bridge::envelope to_head() const;

  std::string_view single_body; // the first Data section, or the value
  std::string joined_body;      // only where there are several
};

} // namespace rookery::amqp
