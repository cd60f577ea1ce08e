#pragma once

#include "rookery/service/v1/log.pb.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rookery::store {

using time_point = std::chrono::system_clock::time_point;

/// How long an idempotency key is remembered.
inline constexpr std::chrono::hours key_lifetime{7 * 24};

/// Rows of one commit group, so also of one LogBatch. A row takes 32 bytes at
/// most, so that the batch stays below 64 KiB by this alone.
inline constexpr std::size_t group_rows_max = 1000;

/// An idempotency key and what it was used for.
struct used_key {
  std::string key;               // 1..64 bytes
  std::uint64_t fingerprint = 0; // of the request without its key
  std::uint64_t answer = 0;      // the reply's only field
};

/// Everything one transaction writes.
struct log_changes {
  /// The rows in order; `log_store::commit` fills in log and first_seq.
  service::v1::LogBatch batch;
  /// The texts of the POSTED rows, in their order.
  std::vector<std::string> texts;
  std::vector<used_key> keys;
  /// The greatest id given out in this log so far; follow logs leave it 0.
  std::uint64_t last_id = 0;
  /// When `keys` were used, in the time of the log's keys.
  time_point now;

  [[nodiscard]] bool empty() const {
    return batch.rows().empty() && keys.empty();
  }
};

/// A log as its writer took it over. Valid until the next take-over by
/// anybody, which raises the incarnation in the store.
struct ownership {
  std::string log;
  std::uint64_t incarnation = 0;
  std::uint64_t seq = 0;     // of the last row
  std::uint64_t last_id = 0; // see log_changes
  /// When the newest key that is remembered was used.
  std::optional<time_point> newest_key = {};
};

} // namespace rookery::store
