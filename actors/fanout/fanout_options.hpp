#pragma once

#include "actors/fanout/homes.hpp"

#include <caf/error.hpp>

#include <chrono>
#include <cstdint>

namespace rookery::actors {

/// What a shard needs to know. Every `_max` bounds memory.
struct fanout_options {
  std::uint32_t shard = 0;            // 0..shards - 1
  std::uint32_t shards = 1;           // fixed in the store
  std::uint32_t tweet_partitions = 1; // 1..1,024, fixed in the store

  /// Entries of a home timeline: 1..10,000.
  std::uint32_t timeline_cap = 800;
  /// Followers served before other messages get a turn: 1 or more.
  std::uint32_t quantum = 512;

  /// Authors whose rows are expanded by turns; with more of them, rows stay in
  /// their batches. A row that is expanded is 64 bytes, and its batch is open.
  std::uint32_t authors_max = 4'096;
  /// Batches not answered. Rows of further ones are answered, dropped, and read
  /// back from the log when half of these are done.
  std::uint32_t batches_max = 4'096;
  /// Reads waiting for a timeline or its texts; further ones are refused, and
  /// of one user what is beyond an eighth, or 4.
  std::uint32_t reads_max = 4'096;
  /// Users of this shard that are known only because they read. Beyond it
  /// readers nobody has heard of are refused.
  std::uint32_t users_max = 10'000'000;
  std::uint32_t timelines_max = 250'000; // see homes_limits
  std::uint32_t builds_max = 4'096;
  std::uint32_t kept_max = 1'024;
  /// Requests to one writer without an answer, pulls and texts apart.
  std::uint32_t requests_max = 16;
  /// Finished expansions kept for CompletionsRequest, and those in one answer.
  std::uint32_t completions_max = 131'072;
  std::uint32_t completions_page_max = 32'768;

  /// A shard shows nothing for so long after its first message; and when it was
  /// sent nothing for half as long, it asks how far the logs are before it
  /// shows more: another node may have had the shard in between. So nobody who
  /// read there reads something older here. 0 = neither.
  std::chrono::milliseconds handover_time{200};
  /// A delivery that is held proves that no other node has the shard, until it
  /// may be taken away from here: well below serve_options::handler_timeout,
  /// of which a node makes it the half.
  std::chrono::milliseconds held_max{30'000};
  /// Rows of one log that a shard makes up for after such a silence; with more
  /// it is stale, and one that starts anew is ready sooner.
  std::uint64_t missed_rows_max = 500'000;
  /// A read that is not answered by then fails with errc::not_complete.
  std::chrono::milliseconds read_timeout{5'000};
  /// The deadline of every request to a writer.
  std::chrono::milliseconds request_timeout{2'000};
  /// After a failure a writer is left alone for so long, twice as long after
  /// every further one, and never longer than the maximum.
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{5'000};

  /// Makes collisions of user ids unpredictable; any value.
  std::uint64_t hash_seed = 0;
  /// Debugging: one live insertion is missing at every moment.
  bool drop_one = false;
};

/// Fails with errc::invalid_argument, naming the first bad option.
[[nodiscard]] caf::error validate(const fanout_options& options);

[[nodiscard]] homes_limits limits_of(const fanout_options& options);

} // namespace rookery::actors
