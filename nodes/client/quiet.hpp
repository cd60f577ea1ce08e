#pragma once

#include "bridge/expected.hpp"
#include "nodes/client/service_client.hpp"

#include "rookery/service/v1/timeline.pb.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace rookery::nodes {

/// The last seq of each log, by name.
using log_heads = std::map<std::string, std::uint64_t>;

/// Quiet: every shard is ready, has nothing to expand, and has applied exactly
/// what the logs it reads hold: all tweet logs and its own follow log.
/// @returns the first thing that is not so, in a few words, or empty
[[nodiscard]] std::string
unquiet(const log_heads& heads,
        const std::vector<service::v1::ShardStatus>& shards);

/// Asks every shard how far it is; in the order of the shards.
[[nodiscard]] bridge::expected<std::vector<service::v1::ShardStatus>,
                               std::string>
ask_shards(service_client& client, std::chrono::milliseconds timeout);

/// Asks every writer for its head.
[[nodiscard]] bridge::expected<log_heads, std::string>
ask_heads(service_client& client, std::chrono::milliseconds timeout);

/// Waits until the service is quiet while the heads stand still.
/// @param heads where to learn them, in a given time: from the writers or from
/// the store
/// @returns how the shards then are, or why it is not quiet at the deadline
[[nodiscard]] bridge::expected<std::vector<service::v1::ShardStatus>,
                               std::string>
wait_until_quiet(service_client& client,
                 const std::function<bridge::expected<log_heads, std::string>(
                     std::chrono::milliseconds)>& heads,
                 std::chrono::milliseconds timeout);

} // namespace rookery::nodes
