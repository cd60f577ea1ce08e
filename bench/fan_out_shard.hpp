#pragma once

#include "actors/fanout/fanout_core.hpp"
#include "nodes/load/edge_file.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace rookery::bench {

/// One shard of the service with all readers, without actors, broker and disk:
/// the writers it asks know the edges, and that nobody has posted yet.
class fan_out_shard {
public:
  /// @param edges ascending, each once; must outlive this
  explicit fan_out_shard(std::span<const nodes::edge> edges);

  /// Reads the graph, as a shard does when it starts.
  void start();
  /// Makes the timelines of `users` complete: only those are pushed to.
  void read_homes(std::span<const actors::user_id> users);

  /// Tweets by `authors`, as one batch of the log.
  void post(std::span<const actors::user_id> authors);
  /// Expands all that was posted.
  void expand();

  [[nodiscard]] service::v1::ShardStatus status() const {
    return core_.status();
  }

private:
  void settle();
  [[nodiscard]] actors::writer_reply answer(const actors::send_request& x);
  [[nodiscard]] actors::writer_reply
  edges(const service::v1::EdgesRequest& x) const;

  std::span<const nodes::edge> edges_;
  actors::fanout_core core_;
  actors::moment now_{actors::steady_time{std::chrono::hours{1}}, 1};
  std::uint64_t head_ = 0;  // of the tweet log
  std::uint64_t token_ = 0; // of the last batch or read
  service::v1::LogBatch batch_;
};

} // namespace rookery::bench
