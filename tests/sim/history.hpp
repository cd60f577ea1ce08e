#pragma once

#include "actors/partition.hpp"
#include "testing/world.hpp"

#include "rookery/service/v1/timeline.pb.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rookery::sim {

using testing::world;

using actors::tweet_id;
using actors::user_id;

/// All that clients asked for and were told, and what follows from it: the
/// oracle. It knows nothing of how the service works.
class history {
public:
  history(world& outside, std::size_t timeline_cap)
      : outside_{outside},
        cap_{timeline_cap} {}

  using op_number = std::uint64_t;

  op_number post_issued(user_id author);
  void posted(op_number op, tweet_id id);
  void delete_issued(tweet_id id);
  void deleted(tweet_id id);
  void follow_issued(user_id follower, user_id author, bool unfollow);
  void follow_changed(user_id follower, user_id author, bool unfollow);

  /// A tweet that was acknowledged, and its author; 0 when there is none.
  [[nodiscard]] std::pair<tweet_id, user_id>
  any_tweet(std::uint64_t draw) const;
  [[nodiscard]] bool follows(user_id follower, user_id author) const {
    return edges_.count({follower, author}) > 0;
  }

  /// What a read that is issued now must respect.
  struct expectation {
    user_id user = 0;
    std::set<tweet_id> gone; // deletions acknowledged before
    std::set<tweet_id> seen; // in earlier reads
  };
  [[nodiscard]] expectation expect(user_id user) const;
  void check(const expectation& x, const service::v1::HomeTimelineReply& reply);

  /// home(u) of what was acknowledged, newest first.
  [[nodiscard]] std::vector<tweet_id> home(user_id user) const {
    return newest(user, cap_);
  }
  /// The same without a cap, but no more than `most`.
  [[nodiscard]] std::vector<tweet_id> newest(user_id user,
                                             std::size_t most) const;
  [[nodiscard]] std::size_t cap() const { return cap_; }
  [[nodiscard]] std::size_t posts() const { return by_id_.size(); }

private:
  struct tweet {
    user_id author;
    tweet_id id = 0; // 0: not acknowledged
    bool delete_issued = false;
    bool deleted = false;
  };

  [[nodiscard]] bool may_vanish(user_id user, tweet_id id) const;
  /// How many newer tweets may have taken room in that timeline: those shown,
  /// and those deleted, which are left out after the page was cut.
  [[nodiscard]] std::size_t newer_than(tweet_id id, user_id user,
                                       const std::set<tweet_id>& shown) const;

  world& outside_;
  std::size_t cap_;
  std::vector<tweet> posts_;              // by operation
  std::map<tweet_id, op_number> by_id_;   // acknowledged
  std::map<tweet_id, op_number> sighted_; // in a home, acknowledged or not
  std::set<std::pair<user_id, user_id>> edges_;       // acknowledged
  std::set<std::pair<user_id, user_id>> ever_;        // asked for, once
  std::set<std::pair<user_id, user_id>> ever_undone_; // asked for, once
  std::map<user_id, std::set<tweet_id>> seen_;
};

} // namespace rookery::sim
