#pragma once

#include "nodes/client/service_client.hpp"
#include "nodes/load/completion_tracker.hpp"
#include "nodes/load/lag_log.hpp"

#include <cstdint>
#include <vector>

namespace rookery::nodes {

/// Reads from all shards when tweets became readable, often enough that
/// nothing is overwritten. @thread the one that made it
class completion_reader {
public:
  /// @param lags is told, too; must outlive this
  completion_reader(service_client& client, lag_log& lags);

  /// Passes over what is there already.
  void skip();
  /// Takes what is new, unless it was asked for within the last quarter of a
  /// second. A shard that does not answer is asked again the next time.
  void poll();
  /// Takes the rest.
  void finish();

  /// From post to timeline, microseconds, one value a tweet.
  [[nodiscard]] const histogram& latencies() const {
    return tracker_.latencies();
  }
  /// Overwritten before they were read.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

private:
  /// One page of each shard; @returns whether there was something new.
  bool read(bool keep);

  service_client& client_;
  lag_log& lags_;
  completion_tracker tracker_;
  std::vector<std::uint64_t> after_; // by shard
  std::uint64_t lost_ = 0;
  std::chrono::steady_clock::time_point next_{};
};

} // namespace rookery::nodes
