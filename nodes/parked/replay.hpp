#pragma once

#include "nodes/parked/broker_client.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace rookery::nodes {

struct replay_options {
  std::string from;
  /// Empty: each goes where it came from.
  std::string to = {};
  std::uint64_t count_max = 0;
};

struct replay_result {
  std::uint64_t sent = 0;
  /// How many stay where they are, by the reason.
  std::map<std::string, std::uint64_t> kept = {};
  /// Why it ended early; then the last of them may have been sent, and stay.
  fault broken = {};
};

/// Sends messages of a queue of dead letters again. Each is accepted there only
/// after the broker accepted it where it goes: at any time it is in one of the
/// queues, or in both. So one may be sent twice, with the same message-id; none
/// is lost.
[[nodiscard]] replay_result replay(broker_client& client,
                                   const replay_options& wanted);

} // namespace rookery::nodes
