#pragma once

#include "nodes/client/client_options.hpp"
#include "nodes/config/cli_fwd.hpp"
#include "nodes/load/graph_generator.hpp"
#include "nodes/load/workload.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace rookery::nodes {

/// What `rookery load` can be told.
struct load_options {
  client_options client = {};
  double rate = 2'000;        // operations a second that are offered
  std::uint32_t seconds = 10; // how long
  std::uint64_t seed = 1;
  operation_mix mix = {};
  std::string edges = {}; // file; empty = generate
  bool undirected = false;
  graph_options graph = {};
  std::size_t in_flight_max = 10'000; // operations without an answer
  /// How long after the end what has no answer is tried again.
  std::chrono::milliseconds retry_time{60'000};
  std::string journal = {}; // file; empty = none
  std::string status = {};  // file; empty = none
  std::string lags = {};    // file; empty = none
  std::string report = {};  // file; empty = none
  /// Until all is expanded and all homes are complete, before and after.
  std::chrono::milliseconds quiet_timeout{60'000};
};

/// Declares the flags of `rookery load`. Parsing fills `target`, which must
/// outlive `app`.
void add_load_options(CLI::App& app, load_options& target);

/// What is wrong with the values together, or empty.
[[nodiscard]] std::string fault_of(const load_options& x);

} // namespace rookery::nodes
