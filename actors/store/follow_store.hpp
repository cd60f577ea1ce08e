#pragma once

#include "actors/store/edge.hpp"
#include "actors/store/log_store.hpp"

#include "rookery/service/v1/follow.pb.h"

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace rookery::store {

/// `follows.db`: the graph and the follow logs of all shards.
/// Users are unsigned, in SQL bit-cast to int64.
class follow_store final : public log_store {
public:
  /// Its name in the directory.
  static constexpr auto file = "follows.db";

  /// Opens or creates `<directory>/follows.db`. Fails with errc::store_failed
  /// or errc::store_mismatch, naming the file and the reason.
  [[nodiscard]] static caf::expected<std::shared_ptr<follow_store>>
  open(const store_options& options);

  /// Those of `edges` that exist in `shard`.
  [[nodiscard]] caf::expected<std::set<edge>>
  known_edges(std::uint32_t shard, std::span<const edge> edges);

  /// At most `edges_max` edges of `shard` behind `after`, and the head of its
  /// log, from one snapshot. The order is fixed, but it is SQL's: users from
  /// 2^63 on come first.
  [[nodiscard]] caf::expected<service::v1::EdgesReply>
  edges(std::uint32_t shard, std::optional<edge> after,
        std::uint32_t edges_max);

private:
  explicit follow_store(database db) : log_store(std::move(db)) {}

  [[nodiscard]] caf::error prepare(std::uint32_t shards);
  [[nodiscard]] caf::error apply(std::uint32_t log_index,
                                 const service::v1::LogRow& row,
                                 std::uint64_t seq,
                                 const std::string& text) override;

  statement insert_;
  statement delete_;
  statement select_;
  statement select_first_;
  statement select_after_;
};

} // namespace rookery::store
