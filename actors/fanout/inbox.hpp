#pragma once

#include "actors/partition.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace rookery::actors {

/// One row of a tweet log.
struct tweet_row {
  user_id author;
  tweet_id tweet;
  std::uint64_t intended_at_us;
  bool deletes;
};

/// Batches of tweet rows on their way: rows are taken one by one, in order of
/// arrival, and a batch is done when every row taken from it has been closed.
/// That is when its delivery may be answered, so the credit of whoever delivers
/// bounds this; its owner bounds it besides.
class inbox {
public:
  struct taken_row {
    std::uint64_t batch;
    tweet_row row;
  };

  /// Adds rows with seqs from `first_seq` on of log `log`, one or more.
  /// `token` names the delivery to answer, which came at `now`; none when the
  /// rows were read back.
  void add(std::optional<std::uint64_t> token, std::uint32_t log,
           std::uint64_t first_seq, std::vector<tweet_row> rows,
           std::chrono::steady_clock::time_point now);

  /// The next row; each must be closed some time. Nothing when there is none.
  [[nodiscard]] std::optional<taken_row> take();

  /// One row of `batch` is done.
  /// @returns the token of the delivery, when this was its last row.
  std::optional<std::uint64_t> close(std::uint64_t batch);

  /// The seq up to which every row of `log` is done, all rows up to `taken`
  /// having been added. Never too great; exact when the log has no open batch.
  [[nodiscard]] std::uint64_t applied(std::uint32_t log,
                                      std::uint64_t taken) const;

  /// Whether a delivery that came at `since` or later is not answered.
  [[nodiscard]] bool
  holds_delivery(std::chrono::steady_clock::time_point since) const;

  /// Batches that are not done.
  [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }

private:
  struct batch {
    std::optional<std::uint64_t> token;
    std::uint32_t log;
    std::uint64_t first_seq;
    std::vector<tweet_row> rows;
    std::size_t next = 0;  // the first row not taken
    std::size_t open_rows; // rows not closed
    std::chrono::steady_clock::time_point came;
  };

  std::unordered_map<std::uint64_t, batch> open_; // by number
  std::deque<std::uint64_t> waiting_;             // those with rows not taken
  std::uint64_t last_number_ = 0;
};

} // namespace rookery::actors
