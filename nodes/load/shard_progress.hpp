#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace rookery::nodes {

/// What shards tell of themselves, one round of questions after the other,
/// put together over their lives: a shard that starts again counts from zero.
class shard_progress {
public:
  /// @param shards how many there are
  explicit shard_progress(std::uint32_t shards) : shards_(shards) {}

  /// Begins a round.
  void begin() {
    for (auto& x : shards_)
      x.ready = false;
  }

  /// One shard's answer.
  /// @param pushed entries inserted since the shard started
  void take(std::uint32_t shard, bool ready, std::uint64_t pushed) {
    auto& x = shards_.at(shard);
    x.ready = ready;
    if (x.known)
      pushed_ += pushed >= x.pushed ? pushed - x.pushed : pushed;
    x.known = true;
    x.pushed = pushed;
  }

  /// Shards that were not ready, or did not answer, in this round.
  [[nodiscard]] std::uint64_t silent() const {
    return static_cast<std::uint64_t>(std::count_if(
        shards_.begin(), shards_.end(), [](auto& x) { return !x.ready; }));
  }

  /// Entries inserted since each shard's first answer; what a shard did
  /// between its last answer and its end is not in it.
  [[nodiscard]] std::uint64_t pushed() const { return pushed_; }

private:
  struct entry {
    bool ready = false;
    bool known = false;
    std::uint64_t pushed = 0;
  };

  std::vector<entry> shards_;
  std::uint64_t pushed_ = 0;
};

} // namespace rookery::nodes
