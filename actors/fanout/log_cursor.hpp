#pragma once

#include <cstdint>

namespace rookery::actors {

/// How far a shard is in one log, and whether it has to read rows back.
/// Rows it has not got and cannot get in order are never waited for: they are
/// remembered by their seq and read from the log's writer.
class log_cursor {
public:
  /// What to do with a batch of rows.
  struct verdict {
    /// Rows to leave out from the front, because they were taken before.
    std::uint64_t known = 0;
    /// Rows to take after these. None when all are known or come too early.
    std::uint64_t fresh = 0;
  };

  /// Judges rows first .. first + count - 1, and takes the fresh ones as taken.
  /// Rows behind a gap are remembered: `is_behind`.
  [[nodiscard]] verdict offer(std::uint64_t first, std::uint64_t count);

  /// The log has rows up to `seq`.
  void raise_head(std::uint64_t seq);

  /// Whether rows are known to exist that were not taken.
  [[nodiscard]] bool is_behind() const noexcept { return head_ > taken_; }
  /// How many of them.
  [[nodiscard]] std::uint64_t behind() const noexcept { return head_ - taken_; }

  /// Starts at `seq`: everything up to it counts as taken.
  void skip_to(std::uint64_t seq);

  /// Marks that a read is under way, if one is needed and none is.
  [[nodiscard]] bool begin_read();

  /// The read has ended, with whatever result.
  void end_read() noexcept { is_reading_ = false; }

  /// The read found nothing after what was taken, whatever had been heard
  /// before it began.
  void found_nothing() noexcept;

  /// The seq up to which all rows were taken.
  [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

  /// How often a gap was found.
  [[nodiscard]] std::uint64_t gaps() const noexcept { return gaps_; }

private:
  std::uint64_t taken_ = 0;
  std::uint64_t head_ = 0;      // the greatest seq heard of; at least taken_
  std::uint64_t read_head_ = 0; // head_ when the last read began
  std::uint64_t gaps_ = 0;
  bool is_reading_ = false;
};

} // namespace rookery::actors
