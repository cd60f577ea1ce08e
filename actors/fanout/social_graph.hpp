#pragma once

#include "actors/fanout/slim_vector.hpp"
#include "actors/fanout/user_index.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rookery::actors {

/// Who follows whom, as far as the followers belong to this shard.
///
/// An author's followers are a list that only grows at its end; who unfollows
/// leaves a gap. So an expansion that stopped in the middle goes on where it
/// was and meets nobody twice and leaves nobody out. Whoever keeps positions
/// in a list closes its gaps with `compact`.
///
/// Twelve bytes for an edge. Edges carry no seq: rows of the follow log are
/// applied in order, and pages of edges are all taken before them.
class social_graph {
public:
  /// Stands in a list where a follower has left.
  static constexpr user_slot gap = 0xffffffffU;

  explicit social_graph(std::uint64_t hash_seed = 0) : users_{hash_seed} {}

  /// Adds an edge. False when it was there, or when both are the same user:
  /// everybody sees what he posts himself without an edge.
  bool follow(user_id follower, user_id author);

  /// Adds an edge of a graph that is being read, in any order and perhaps more
  /// than once. Only `followed` and `followers` may be asked until `loaded`.
  /// Why not `follow`: it keeps the order of a user's edges, so that many of
  /// them cost the square of their number.
  void load(user_id follower, user_id author);

  /// All edges were given to `load`. Costs n log n of one user's edges.
  void loaded();

  /// Removes an edge; false when there was none.
  bool unfollow(user_id follower, user_id author);

  /// The slot of `user`, made if there was none.
  user_slot intern(user_id user) { return users_.intern(user); }

  /// Whether more of the list of `author` is gaps than followers.
  [[nodiscard]] bool is_sparse(user_slot author) const;

  /// The number of followers among the first `position` entries: where that
  /// position lies after `compact`.
  [[nodiscard]] std::uint32_t followers_before(user_slot author,
                                               std::uint32_t position) const;

  /// Closes the gaps in the list of `author`.
  void compact(user_slot author);

  /// The local followers of `author`, gaps among them. Valid until a change.
  [[nodiscard]] std::span<const user_slot> followers(user_slot author) const;

  /// The authors `follower` follows, in no order.
  [[nodiscard]] std::vector<user_slot> followed(user_slot follower) const;

  [[nodiscard]] const user_index& users() const noexcept { return users_; }
  [[nodiscard]] std::uint64_t edges() const noexcept { return edges_; }

private:
  struct follower_list {
    slim_vector<user_slot> slots;
    std::uint32_t gaps = 0;
  };
  struct edge {
    user_slot author;
    std::uint32_t position; // in the author's list
  };

  /// Makes room for an edge between two users: their slots.
  std::pair<user_slot, user_slot> place(user_id follower, user_id author);
  void remove(const edge& x);
  [[nodiscard]] static edge* find(slim_vector<edge>& edges, user_slot author);

  user_index users_;
  // Both by slot; shorter than users_ where nobody had an edge yet.
  std::deque<follower_list> followers_;
  // Each ascending by author, and distinct, but for what is being loaded.
  std::deque<slim_vector<edge>> followed_;
  std::uint64_t edges_ = 0;
};

} // namespace rookery::actors
