#pragma once

#include "nodes/client/service_client.hpp"
#include "nodes/load/edge_file.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rookery::nodes {

struct import_result {
  std::uint64_t added = 0; // the others were known
  /// Why not all could be imported.
  std::optional<std::string> failure = {};
};

/// Imports edges, in batches to the writers of the shards of their followers.
/// Repeating it is harmless.
/// @param ended told of each batch and whether it was acknowledged; may be
/// empty
[[nodiscard]] import_result
import_edges(service_client& client, const std::vector<edge>& edges,
             const std::function<void(std::span<const edge>, bool)>& ended);

} // namespace rookery::nodes
