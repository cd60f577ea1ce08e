#pragma once

#include "actors/partition.hpp"
#include "nodes/client/service_client.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rookery::nodes {

struct home_reads {
  std::uint64_t read = 0; // homes that were answered, so are complete
  std::uint64_t bad = 0;  // of these, not in descending order or not unique
  /// Why not all were answered in time, or what was bad.
  std::string trouble = {};
};

/// Reads everybody's home, ids only, so that all timelines are complete. Reads
/// that fail are tried again until the time is over.
/// @param label for the progress that is shown
[[nodiscard]] home_reads read_homes(service_client& client,
                                    std::vector<actors::user_id> users,
                                    std::chrono::milliseconds timeout,
                                    const std::string& label);

} // namespace rookery::nodes
