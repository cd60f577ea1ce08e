#pragma once

#include "actors/partition.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace rookery::nodes {

enum class operation_kind : std::uint8_t {
  post,
  remove,
  follow,
  unfollow,
  read
};

/// "post", "delete", "follow", "unfollow", "read".
[[nodiscard]] std::string_view to_string(operation_kind x);

/// One thing a client asks the service for.
struct operation {
  operation_kind kind = operation_kind::read;
  actors::user_id user = 0;
  /// The tweet to delete, or whom to follow or unfollow.
  std::uint64_t subject = 0;

  [[nodiscard]] bool operator==(const operation&) const = default;
};

/// How an operation that changes something ended.
enum class ending : std::uint8_t {
  /// Answered: it is durable.
  acknowledged,
  /// Refused by the service: nothing was changed.
  refused,
  /// No answer, or one that leaves it open.
  unknown,
};

} // namespace rookery::nodes
