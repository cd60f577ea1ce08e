#pragma once

#include "bridge/bridge_options.hpp"
#include "nodes/config/cli_fwd.hpp"
#include "nodes/wiring/addresses.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rookery::nodes {

/// What every client command can be told.
struct client_options {
  std::vector<bridge::endpoint> brokers = {bridge::endpoint{}};
  std::string user = {};
  std::string password = {};
  layout service = {};
  /// For connecting, and again for each answer.
  std::chrono::milliseconds timeout{10'000};
};

/// Declares --broker, --user, --password (which ROOKERY_... variables can set
/// as for nodes) and --timeout. Parsing fills `target`, which must outlive
/// `app`, and checks the values.
void add_broker_options(CLI::App& app, client_options& target);

/// The same with --shards and --tweet-partitions, for commands of the service.
void add_client_options(CLI::App& app, client_options& target);

/// Declares a number of a user or tweet: decimal digits and nothing else, so
/// that no 010 is 8. Parsing fills `target`, which must outlive `app`.
CLI::Option* add_number(CLI::App& app, const std::string& name,
                        std::uint64_t& target, const std::string& about);
CLI::Option* add_number(CLI::App& app, const std::string& name,
                        std::optional<std::uint64_t>& target,
                        const std::string& about);

/// Refuses what is outside of both ends; unlike CLI::Range also NaN, which no
/// comparison finds too great.
[[nodiscard]] CLI::Validator between(double least, double most);

} // namespace rookery::nodes
