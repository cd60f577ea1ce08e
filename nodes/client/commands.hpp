#pragma once

#include "nodes/config/command_line.hpp"

#include <string>
#include <vector>

namespace rookery::nodes {

/// The commands that ask the service for something, each over AMQP. They print
/// their result to stdout, and one line on stderr when something is wrong.
/// @param arguments without the name of the command
using arguments = std::vector<std::string>;

[[nodiscard]] exit_code post_command(const arguments& x);
[[nodiscard]] exit_code delete_command(const arguments& x);
[[nodiscard]] exit_code follow_command(const arguments& x);
[[nodiscard]] exit_code unfollow_command(const arguments& x);
[[nodiscard]] exit_code timeline_command(const arguments& x);
[[nodiscard]] exit_code import_edges_command(const arguments& x);

} // namespace rookery::nodes
