#pragma once

#include "bridge/bridge_options.hpp"
#include "nodes/wiring/addresses.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
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

/// Declares --broker, --user, --password, --shards, --tweet-partitions (which
/// ROOKERY_... variables can set as for nodes) and --timeout. Parsing fills
/// `target`, which must outlive `app`, and checks the values.
void add_client_options(CLI::App& app, client_options& target);

} // namespace rookery::nodes
