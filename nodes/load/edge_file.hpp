#pragma once

#include "actors/partition.hpp"
#include "bridge/expected.hpp"

#include <compare>
#include <cstddef>
#include <istream>
#include <string>
#include <vector>

namespace rookery::nodes {

/// `follower` sees what `followee` posts.
struct edge {
  actors::user_id follower = 0;
  actors::user_id followee = 0;
  auto operator<=>(const edge&) const = default;
};

struct edge_hash {
  std::size_t operator()(const edge& x) const noexcept {
    return (x.follower * 0x9e3779b97f4a7c15U) ^ x.followee;
  }
};

struct edge_file_options {
  /// Each line stands for both directions.
  bool undirected = false;
  /// More edges than this are refused.
  std::size_t edges_max = 50'000'000;
};

/// Reads lines "follower followee": two whole numbers, 0..2^64-1, with blanks
/// between. '#' starts a comment; lines without numbers are passed over.
/// @returns the edges in ascending order, each once; or one sentence with the
/// number of the first bad line, the line itself and what is wrong with it.
[[nodiscard]] bridge::expected<std::vector<edge>, std::string>
read_edges(std::istream& input, const edge_file_options& options = {});

/// The same for a file; the sentence then begins with its name.
[[nodiscard]] bridge::expected<std::vector<edge>, std::string>
read_edge_file(const std::string& name, const edge_file_options& options = {});

/// Everybody in `edges`, ascending, each once.
[[nodiscard]] std::vector<actors::user_id>
users_of(const std::vector<edge>& edges);

} // namespace rookery::nodes
