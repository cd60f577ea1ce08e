#pragma once

#include "nodes/client/commands.hpp"

namespace rookery::nodes {

/// `rookery dlq`: looks at what waits in a queue of dead letters, sends it
/// again, or throws it away.
[[nodiscard]] exit_code dlq_command(const arguments& x);

} // namespace rookery::nodes
