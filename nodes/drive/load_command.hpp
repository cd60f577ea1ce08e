#pragma once

#include "nodes/config/command_line.hpp"

#include <string>
#include <vector>

namespace rookery::nodes {

/// `rookery load`: offers a seeded load and measures what becomes of it.
/// @param arguments without the name of the command
[[nodiscard]] exit_code load_command(const std::vector<std::string>& arguments);

} // namespace rookery::nodes
