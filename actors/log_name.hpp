#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::actors {

/// The name of the log of tweet partition `index`: "tweet/<index>".
[[nodiscard]] std::string tweet_log(std::uint32_t index);

/// The name of the follow log of shard `index`: "follow/<index>".
[[nodiscard]] std::string follow_log(std::uint32_t index);

/// A log's name, taken apart.
struct log_name {
  enum class kind_type : std::uint8_t { tweet, follow };
  kind_type kind;
  std::uint32_t index;
};

/// Nothing when `name` is not one the two functions above make.
[[nodiscard]] std::optional<log_name> parse_log_name(std::string_view name);

} // namespace rookery::actors
