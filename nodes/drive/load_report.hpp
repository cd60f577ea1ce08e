#pragma once

#include "nodes/drive/load_driver.hpp"
#include "nodes/drive/load_options.hpp"
#include "nodes/load/histogram.hpp"

#include <cstdint>
#include <iosfwd>
#include <string>

namespace rookery::nodes {

/// What a load came to.
struct load_report {
  std::uint64_t users = 0;
  std::uint64_t edges = 0;
  load_results results = {};
  double load_seconds = 0;  // from the first operation to the last answer
  double drain_seconds = 0; // until the service was quiet, after that
  /// From post to timeline, microseconds, one value a tweet.
  histogram readable = {};
  std::uint64_t completions_lost = 0;
  std::uint64_t deliveries = 0; // pushed while the load ran
  std::uint64_t bad_homes = 0;

  [[nodiscard]] double tweets_per_second() const;
  /// Over load and drain, so that a backlog does not flatter.
  [[nodiscard]] double deliveries_per_second() const;
};

/// A table for humans.
void print(std::ostream& out, const load_report& x);

/// The same numbers as one JSON object, times in milliseconds.
[[nodiscard]] std::string to_json(const load_report& x,
                                  const load_options& options);

} // namespace rookery::nodes
