#pragma once

#include "actors/partition.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace rookery::nodes {

/// Compares a timeline with what it should be.
/// @param held all it holds, newest first; of more than `cap` ids the first
/// `cap` count
/// @param wanted home(user): at most `cap` ids, descending
/// @returns what is wrong, in a few words, or nothing
[[nodiscard]] std::optional<std::string>
compare_timeline(std::span<const actors::tweet_id> held,
                 std::span<const actors::tweet_id> wanted, std::uint32_t cap);

/// Nothing when `ids` descend, each once.
[[nodiscard]] std::optional<std::string>
check_order(std::span<const actors::tweet_id> ids);

} // namespace rookery::nodes
