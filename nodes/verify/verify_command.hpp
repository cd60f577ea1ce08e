#pragma once

#include "nodes/config/command_line.hpp"

#include <string>
#include <vector>

namespace rookery::nodes {

/// `rookery verify`: compares every complete home timeline with the store,
/// and the store with what clients were told.
/// @param arguments without the name of the command
[[nodiscard]] exit_code
verify_command(const std::vector<std::string>& arguments);

} // namespace rookery::nodes
