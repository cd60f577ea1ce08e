#pragma once

#include "nodes/client/service_client.hpp"
#include "nodes/drive/load_options.hpp"
#include "nodes/load/histogram.hpp"
#include "nodes/load/journal.hpp"
#include "nodes/load/lag_log.hpp"
#include "nodes/load/workload.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <string>

namespace rookery::nodes {

/// How the operations of one kind went.
struct operation_results {
  std::uint64_t asked = 0;
  std::uint64_t attempts = 0; // `asked`, and once more for each retry
  std::uint64_t acknowledged = 0;
  std::uint64_t refused = 0; // for good, and nothing was changed
  std::uint64_t failed = 0;  // given up, see `conclusion`
  /// Microseconds from the moment it was due to its acknowledgement.
  histogram latency = {};
};

struct load_results {
  std::array<operation_results, 5> operations; // by operation_kind
  /// How late an operation was sent, microseconds.
  histogram lag = {};
  /// Errors in words, and how often they came; at most `errors_max`.
  std::map<std::string, std::uint64_t> errors = {};
  /// Reads that were not in descending order or had a tweet twice.
  std::uint64_t bad_reads = 0;
  std::string bad_read = {}; // one of them
  /// Operations that were due, but never sent.
  std::uint64_t left_out = 0;
  double seconds = 0; // from the first operation to the last answer

  static constexpr std::size_t errors_max = 100;

  /// Operations that were given up, of all kinds.
  [[nodiscard]] std::uint64_t failed() const {
    return std::accumulate(
        operations.begin(), operations.end(), std::uint64_t{0},
        [](std::uint64_t sum, auto& x) { return sum + x.failed; });
  }

  [[nodiscard]] const operation_results& of(operation_kind x) const {
    return operations[static_cast<std::size_t>(x)];
  }
};

/// Offers the operations of a workload at random moments, at a mean rate, and
/// never waits for answers: when the service stalls, what is due piles up, is
/// sent late, and its latency counts from when it was due. At most
/// `in_flight_max` are under way; a piled-up operation is no more than a
/// moment that is yet to be drawn, so nothing grows.
///
/// An attempt that ends without an answer, or with one that may pass, is
/// followed by another of the same operation with the same idempotency key,
/// after a pause that doubles (20 ms to 1 s), and waits twice as long, up to 16
/// times the client's timeout. `retry_time` after the end of
/// the load it is given up. So nothing but `in_flight_max` bounds what is kept,
/// and an operation fails only when its service does.
///
/// `lags` is told of each acknowledged post.
///
/// Returns when the time is over and every operation has ended.
/// @param look called about ten times a second with the operations ended so
/// far and those under way
[[nodiscard]] load_results
drive(service_client& client, const load_options& options, workload& work,
      journal_writer& journal, lag_log& lags,
      const std::function<void(std::uint64_t, std::uint64_t)>& look);

} // namespace rookery::nodes
