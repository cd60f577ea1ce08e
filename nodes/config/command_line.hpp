#pragma once

#include "nodes/config/cli_fwd.hpp"
#include "nodes/config/node_config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rookery::nodes {

/// What the process tells its caller.
enum class exit_code : int {
  ok = 0,
  /// Something did not work at run time; one line on stderr says what.
  failed = 1,
  /// The command line, the configuration or an input file is wrong; one line
  /// on stderr names it.
  usage = 2,
};

/// Parses `arguments` (without the program's name).
/// @returns nothing when the command may run; else how the process ends: help
/// was printed, or one line on stderr that says what is wrong.
[[nodiscard]] std::optional<exit_code>
parse(CLI::App& app, std::vector<std::string> arguments);

/// Declares all keys of `config_keys` as flags and environment variables, and
/// --config FILE. Flags win over the environment, that over the file. Parsing
/// fills `target`, which must outlive `app`, and fails on a bad value and on a
/// key the file should not have; it does not `validate`.
void add_node_options(CLI::App& app, node_config& target);

} // namespace rookery::nodes
