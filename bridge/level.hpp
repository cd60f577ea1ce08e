#pragma once

#include <cstdint>

namespace rookery::bridge {

/// What a handle asks for when something is sent through it. A request always
/// ends in a reply or an error, whatever the level.
enum class level : std::uint8_t {
  /// Settled before it is sent: fastest, lost when anything breaks.
  fire,
  /// Kept and sent again until the broker has it.
  stored,
  /// As `stored`, and counted as lost unless the remote handler reports that
  /// it finished, within `bridge_options::reply_timeout`.
  done,
};

} // namespace rookery::bridge
