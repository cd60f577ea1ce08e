#pragma once

#include "nodes/config/command_line.hpp"

#include <string>
#include <vector>

namespace rookery::nodes {

/// `rookery node`: runs a node until SIGTERM or SIGINT.
/// @param arguments without the name of the command
[[nodiscard]] exit_code node_command(const std::vector<std::string>& arguments);

} // namespace rookery::nodes
