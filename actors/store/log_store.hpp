#pragma once

#include "actors/store/database.hpp"
#include "actors/store/log_changes.hpp"
#include "actors/store/schema.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace rookery::store {

struct store_options {
  /// Where the databases lie; made when it does not exist.
  std::filesystem::path directory = {};
  /// Tweet partitions or shards, 1..1024. Fixed when the store is made.
  std::uint32_t count = 1;
  database_options database = {};
};

/// What the stores of all roles have in common: logs with one writer each,
/// and the idempotency keys. Every call reads what all processes committed;
/// errors are errc::store_failed unless said otherwise.
///
/// Log rows are kept for ever in this version.
///
/// Why one writer is not simply assumed: the broker may have two active
/// consumers for a while, so the store decides by incarnation.
/// @thread any, one at a time. Blocks on the disk.
class log_store {
public:
  log_store(const log_store&) = delete;
  log_store& operator=(const log_store&) = delete;
  virtual ~log_store() = default;

  /// Which store this is, wherever it lies: drawn when it was made.
  [[nodiscard]] std::uint64_t id() const { return id_; }

  /// Makes the caller the writer of `log`; whoever was it before is fenced.
  /// Fails with errc::unknown_log.
  [[nodiscard]] caf::expected<ownership> take_over(const std::string& log);

  /// Writes all of `changes` in one transaction, or nothing, and returns after
  /// the fsync. Then `owner` and `changes.batch` hold the new seqs. Fails with
  /// errc::fenced when the log was taken over. 0..`group_rows_max` rows.
  [[nodiscard]] caf::error commit(ownership& owner, log_changes& changes);

  /// The seq of the last row. Fails with errc::unknown_log.
  [[nodiscard]] caf::expected<std::uint64_t> head(const std::string& log);

  /// Rows with a seq above `after_seq`, at most `rows_max`.
  [[nodiscard]] caf::expected<service::v1::LogBatch>
  read_log(const std::string& log, std::uint64_t after_seq,
           std::uint32_t rows_max);

  /// Those of `keys` that were used in `log` within `key_lifetime`.
  [[nodiscard]] caf::expected<std::vector<used_key>>
  known_keys(const std::string& log, std::span<const std::string> keys,
             time_point now);

  /// Forgets at most `keys_max` keys of the log that are older than
  /// `key_lifetime`; none when it was taken over. Returns how many it forgot.
  [[nodiscard]] caf::expected<std::uint64_t>
  purge_keys(const ownership& owner, time_point now, std::uint32_t keys_max);

protected:
  explicit log_store(database db) : db_(std::move(db)) {}

  /// Creates or checks the schema and prepares the statements.
  [[nodiscard]] caf::error start(const schema& wanted);

  database db_;

private:
  /// Writes one row into the tables of the role, in commit's transaction.
  /// `text` is the tweet's if the row is POSTED, otherwise empty.
  [[nodiscard]] virtual caf::error apply(std::uint32_t log_index,
                                         const service::v1::LogRow& row,
                                         std::uint64_t seq,
                                         const std::string& text) = 0;

  [[nodiscard]] caf::error write_rows(const ownership& owner,
                                      const log_changes& changes);
  [[nodiscard]] caf::error write_keys(const ownership& owner,
                                      const log_changes& changes);

  std::uint64_t id_ = 0;
  statement take_over_;
  statement advance_;
  statement head_;
  statement insert_row_;
  statement select_rows_;
  statement insert_key_;
  statement select_key_;
  statement select_old_key_;
  statement delete_old_keys_;
};

} // namespace rookery::store
