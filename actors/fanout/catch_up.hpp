#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace rookery::actors {

/// Finds out how far the logs are now, when what a shard heard of them before
/// may be old: every head is asked for anew, and the shard is up to date when
/// it has applied all of them.
class catch_up {
public:
  explicit catch_up(std::uint32_t logs) : due_(logs) {}

  /// The heads are to be asked for. Answers to earlier rounds do not count.
  void begin() {
    ++round_;
    under_way_ = true;
    std::fill(due_.begin(), due_.end(), std::nullopt);
  }

  /// Names the questions of this round; greater than 0 after `begin`.
  [[nodiscard]] std::uint64_t round() const noexcept { return round_; }

  [[nodiscard]] bool under_way() const noexcept { return under_way_; }

  /// The head of `log`, which was asked for in round `round`.
  void take(std::uint32_t log, std::uint64_t round, std::uint64_t seq) {
    if (round == round_)
      due_[log] = seq;
  }

  /// Ends the round if all that is due is applied; `applied` tells how far a
  /// log is.
  template <class F>
  void look(F applied) {
    for (std::uint32_t log = 0; log < due_.size(); ++log)
      if (!due_[log] || applied(log) < *due_[log])
        return;
    under_way_ = false;
  }

private:
  std::vector<std::optional<std::uint64_t>> due_; // by log, of this round
  std::uint64_t round_ = 0;
  bool under_way_ = false;
};

} // namespace rookery::actors
