#pragma once

#include "bridge/bridge_options.hpp"
#include "bridge/expected.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rookery {

/// What the command line of a `node` says. Each flag is also a line KEY = VALUE
/// of the file `--config`, and an environment variable: `--connect-timeout-ms`
/// is `ROOKERY_CONNECT_TIMEOUT_MS`. Flags win over the environment, that over
/// the file.
struct node_flags {
  std::vector<std::string> roles = {};
  std::string name = {};
  std::vector<bridge::endpoint> brokers = {};
  /// Run the embedded broker here, too.
  std::optional<bridge::endpoint> listen = std::nullopt;
  std::string user = {};
  std::string password = {};
  std::string log_level = "info";
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds stop_timeout{10'000};
};

/// Reads a command line. @param roles the roles there are, with what each does
/// @returns the flags, or the exit code of a program that is to end: 0 after
/// --help, 2 when something is wrong, which was said on stderr
[[nodiscard]] bridge::expected<node_flags, int>
parse_flags(int argc, const char* const* argv,
            const std::map<std::string, std::string>& roles);

} // namespace rookery
