#pragma once

#include "nodes/load/operation.hpp"

#include <caf/error.hpp>

namespace rookery::nodes {

/// How an operation ended that no attempt of got done.
struct conclusion {
  ending how = ending::unknown; // what became of its change
  /// The service failed: it was not done, though it could have been.
  bool given_up = true;
};

/// @param why the last attempt failed
/// @param refused whether all of them were refused: nothing was changed
[[nodiscard]] conclusion conclude(const caf::error& why, bool refused);

} // namespace rookery::nodes
