#pragma once

#include "actors/fanout/social_graph.hpp"

#include "rookery/service/v1/follow.pb.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace rookery::actors {

/// What a shard has to learn before it can serve: how far every tweet log is,
/// and all edges of its readers.
///
/// Edges come page by page while the follow log goes on. The shard applies that
/// log from the head the first page told: whatever a later page showed of these
/// rows, the last row about an edge decides. So no edge has to remember its
/// seq; but until the head of the last page the graph is of no single moment.
class startup {
public:
  startup(std::uint32_t shard, std::uint32_t shards,
          std::uint32_t tweet_partitions)
      : shard_{shard},
        shards_{shards},
        heads_(tweet_partitions) {}

  /// Something was heard about how far tweet log `log` is.
  void head_known(std::uint32_t log) { heads_[log] = true; }

  /// The page to ask for now.
  [[nodiscard]] service::v1::EdgesRequest next_page() const;

  /// Takes a page into `graph`. False when it makes no sense: ask again.
  [[nodiscard]] bool take(const service::v1::EdgesReply& reply,
                          social_graph& graph);

  /// Whether the last page has been taken.
  [[nodiscard]] bool edges_known() const noexcept { return edges_known_; }

  /// The seq after which the follow log is to be applied.
  [[nodiscard]] std::uint64_t first_head() const { return *first_head_; }

  /// The seq up to which it must be applied before the graph is whole.
  [[nodiscard]] std::uint64_t last_head() const noexcept { return last_head_; }

  /// Whether the heads of all tweet logs are known.
  [[nodiscard]] bool heads_known() const;

private:
  [[nodiscard]] bool is_sound(const service::v1::EdgesReply& reply) const;

  std::uint32_t shard_;
  std::uint32_t shards_;
  std::vector<bool> heads_; // by partition
  std::optional<std::pair<user_id, user_id>> last_edge_;
  std::optional<std::uint64_t> first_head_;
  std::uint64_t last_head_ = 0;
  bool edges_known_ = false;
};

} // namespace rookery::actors
