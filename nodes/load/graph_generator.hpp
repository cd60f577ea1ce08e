#pragma once

#include "nodes/load/edge_file.hpp"

#include <cstdint>
#include <vector>

namespace rookery::nodes {

/// A social graph in the shape of Twitter's, scaled down.
struct graph_options {
  /// Users are numbered 0..users - 1. At least 2.
  std::uint32_t users = 10'000;
  /// How many one follows in the mean, about; edges drawn twice count once.
  double mean_degree = 20;
  /// Tail of the number of followers: P(more than x) falls as x^-(tail - 1).
  /// Twitter's body has 2.28, its tail 2.05.
  double tail = 2.2;
  /// Nobody is followed, and nobody follows, more than this share of all.
  double share_max = 0.2;
  /// Share of users who follow `share_max` of all.
  double drowning = 0.001;
  /// Chance that an edge is answered by its reverse.
  double reciprocity = 0.12;
  std::uint64_t seed = 1;
};

/// Draws a graph: the same options give the same edges, on every machine.
/// Nobody follows oneself. @returns ascending, each edge once.
[[nodiscard]] std::vector<edge> generate_graph(const graph_options& options);

} // namespace rookery::nodes
