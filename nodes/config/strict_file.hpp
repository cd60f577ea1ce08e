#pragma once

#include "nodes/config/cli_fwd.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rookery::nodes {

/// Reads a configuration file of lines KEY = VALUE. Where CLI11's own reader
/// lets the file win over the environment and passes over keys it does not
/// know, this one lets the environment win, and throws `CLI::ConfigError`, with
/// the number of the line, for whatever is not KEY = VALUE of a known key, each
/// once.
/// @param variable_of the environment variable of a key; nothing if there is
/// no such key
std::shared_ptr<CLI::Config>
strict_file(std::function<std::optional<std::string>(const std::string& key)>
                variable_of);

} // namespace rookery::nodes
