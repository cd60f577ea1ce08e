#pragma once

#include "nodes/load/edge_file.hpp"
#include "nodes/load/operation.hpp"
#include "nodes/load/seeded_random.hpp"
#include "nodes/load/weighted_choice.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace rookery::nodes {

/// Percent of the operations; what is left to 100 are reads.
struct operation_mix {
  double posts = 80;
  double follow_changes = 10; // one half follows, one half unfollows
  double deletes = 2;
};

struct workload_options {
  operation_mix mix = {};
  /// Acknowledged tweets that are remembered to delete some; 1 or more.
  std::size_t tweets_max = 100'000;
  std::uint64_t seed = 1;
};

/// What the clients of a seeded load do, one operation after the other. Users
/// with more followers post a little more, and activity is lognormal. Never
/// has two changes of one pair of users, or two deletes of one tweet, under
/// way at once, and leaves alone what ended unknown: their order at the
/// service would be open.
///
/// A value without clock and IO: the same seed, users, edges and endings give
/// the same operations.
class workload {
public:
  /// @param users at least one, each once
  /// @param edges who follows whom at the start
  workload(const workload_options& options, std::vector<actors::user_id> users,
           std::vector<edge> edges);

  /// The next operation; it is under way until `finished`. Where there is
  /// nothing to delete or to unfollow, or the pair drawn follows already, it
  /// is a post.
  [[nodiscard]] operation next();

  /// The text of a new post: 1..280 code points of UTF-8.
  [[nodiscard]] std::string text();

  /// @param tweet the id a post was given
  void finished(const operation& x, ending how, std::uint64_t tweet = 0);

private:
  operation post();
  operation remove();
  operation follow();
  operation unfollow();

  workload_options options_;
  seeded_random random_;
  std::vector<actors::user_id> users_;
  weighted_choice author_;
  std::vector<edge> edges_;       // that exist and are not under way; unordered
  std::vector<operation> tweets_; // deletes that can be done; a ring when full
  std::size_t oldest_ = 0;        // where the ring is overwritten next
  /// Edges that exist, are under way, or whose last change ended unknown.
  std::unordered_set<edge, edge_hash> taken_;
};

} // namespace rookery::nodes
