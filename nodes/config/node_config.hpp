#pragma once

#include "bridge/bridge_options.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::nodes {

/// What a node may do. One process may have any combination.
enum class role : std::uint8_t { broker, tweet, follower, fanout };

[[nodiscard]] std::string_view to_string(role x);

/// Nothing when `name` is no role. "all" is a set of roles, not a role.
[[nodiscard]] std::optional<role> parse_role(std::string_view name);

/// Everything a node can be told. Filled once (defaults, file, environment,
/// flags), validated, then never changed. Keys, units, ranges and reasons are
/// in config_keys.cpp, which is also what --help prints.
struct node_config {
  std::set<role> roles = {};
  std::string node_name = {};
  std::vector<bridge::endpoint> brokers = {};
  std::string user = {};
  std::string password = {};
  bridge::endpoint listen = {"127.0.0.1", 5672};
  std::string store = "rookery-data";
  std::uint32_t shards = 8;
  std::uint32_t tweet_partitions = 2;
  std::uint32_t timeline_cap = 800;
  std::uint32_t writer_window = 1'024;
  std::uint32_t shard_window = 256;
  std::uint32_t shard_queue_length_max = 100'000;
  std::uint32_t threads = 0;
  std::string log_level = "info";
  std::string ready_file = {};
  std::chrono::milliseconds idle_timeout{4'000};
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds stop_timeout{10'000};

  [[nodiscard]] bool has(role x) const { return roles.count(x) != 0; }
};

/// Why a configuration cannot be used.
struct config_fault {
  std::string key;
  std::string value;
  std::string reason;

  /// "shards = 0: must be 1..1024"
  [[nodiscard]] std::string text() const;
};

/// Checks every key and what must hold between keys. Pure: looks at nothing
/// but its argument. @returns the first fault in the order of the keys.
[[nodiscard]] std::optional<config_fault> validate(const node_config& x);

/// The effective configuration as a configuration file, one line a key, with
/// secrets masked.
[[nodiscard]] std::string describe(const node_config& x);

} // namespace rookery::nodes
