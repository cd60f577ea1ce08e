#pragma once

#include "actors/partition.hpp"

#include <compare>

namespace rookery::store {

/// `follower` sees what `followee` posts.
struct edge {
  actors::user_id follower = 0;
  actors::user_id followee = 0;
  auto operator<=>(const edge&) const = default;
};

} // namespace rookery::store
