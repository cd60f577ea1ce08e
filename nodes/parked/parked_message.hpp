#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::nodes {

/// A message in a queue of dead letters, as people want to see it. Texts are
/// plain: no control characters, valid UTF-8; what is not known is empty.
struct parked_message {
  std::string id;
  std::string type; // of the Protobuf message in the body
  /// Of the request that it belongs to: the trace id of its `traceparent`.
  std::string trace_id;
  /// What the node noted that parked it, or, where the broker did on its own
  /// account, why: `expired`, `maxlen`, `delivery_limit`, `rejected`.
  std::string condition;
  std::string reason;
  std::uint64_t attempts = 0;
  /// Where it was; a name as it is, to be sent to.
  std::string queue;
  std::string body;
  /// False: no message that a node could read, and `body` is all of it.
  bool readable = false;
};

/// Never fails: of what is malformed only the note is told.
[[nodiscard]] parked_message read_parked(std::string_view bytes);

/// The message as it was before it was parked: the same properties, body and
/// annotations, as if nobody had had it, and without what was noted on it.
/// Nothing where it is too malformed to be told apart.
[[nodiscard]] std::optional<std::string> replay_form(std::string_view bytes);

} // namespace rookery::nodes
