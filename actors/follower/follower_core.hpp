#pragma once

#include "actors/store/edge.hpp"
#include "actors/store/group_plan.hpp"
#include "actors/store/key_ledger.hpp"

#include "rookery/service/v1/follow.pb.h"

#include <caf/error.hpp>
#include <caf/expected.hpp>

#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace rookery::actors {

/// Edges that shall be there or shall not be there.
struct follow_change {
  std::vector<store::edge> edges; // 1, or 0..1000 of an import
  bool follow = true;
};

using follow_request = store::change_request<follow_change>;

/// What the writer of one shard's graph decides, without clock and store.
/// @thread any; a value without mutable state
class follower_core {
public:
  /// Shard `index` of `count`, 1..1024.
  follower_core(std::uint32_t index, std::uint32_t count);

  /// Check the shard of every follower, the key, and the documented limits.
  [[nodiscard]] caf::expected<follow_request>
  accept(const service::v1::FollowRequest& request) const;
  [[nodiscard]] caf::expected<follow_request>
  accept(const service::v1::UnfollowRequest& request) const;
  [[nodiscard]] caf::expected<follow_request>
  accept(const service::v1::ImportEdgesRequest& request) const;

  /// Checks the limits, and that a position is given whole or not at all.
  [[nodiscard]] caf::error
  check(const service::v1::EdgesRequest& request) const;

  /// Decides the requests in order; `known` are those of their edges that the
  /// store has. Every change makes a row, also when the group undoes it again:
  /// a reader sees what each request was told. The answer is the number of
  /// edges changed; an edge to oneself never is.
  [[nodiscard]] store::group_plan plan(std::span<const follow_request> group,
                                       std::set<store::edge> known,
                                       store::key_ledger& keys) const;

private:
  std::uint32_t index_;
  std::uint32_t count_;
};

} // namespace rookery::actors
