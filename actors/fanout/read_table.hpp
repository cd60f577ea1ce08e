#pragma once

#include "actors/fanout/page.hpp"
#include "actors/fanout/request_lane.hpp"

#include "rookery/service/v1/timeline.pb.h"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace rookery::actors {

/// A read that is not answered yet.
struct pending_read {
  service::v1::HomeTimelineRequest request;
  steady_time deadline;
  bool has_timeline = false;   // else it waits for a complete one
  page texts;                  // once it has
  std::uint32_t texts_due = 0; // questions for texts without an answer
};

/// The reads that wait: for the timeline of their user, then for texts.
/// Bounded by its owner.
class read_table {
public:
  using token = std::uint64_t;

  /// Adds a read that waits for its timeline.
  void add(token id, service::v1::HomeTimelineRequest request,
           steady_time deadline);

  /// Null when there is none of this name (any more).
  [[nodiscard]] pending_read* find(token id);

  void remove(token id);

  /// Those that wait for the timeline of `user`, in order; they wait no more.
  [[nodiscard]] std::vector<token> release(user_id user);

  /// Whether any read waits for the timeline of `user`.
  [[nodiscard]] bool is_awaited(user_id user) const {
    return waiting_.count(user) > 0;
  }

  /// How many reads of `user` wait, for whatever.
  [[nodiscard]] std::size_t count(user_id user) const {
    auto found = counts_.find(user);
    return found == counts_.end() ? 0 : found->second;
  }

  /// All users whose timelines are waited for, in no order.
  [[nodiscard]] std::vector<user_id> awaited() const;

  /// Removes all whose time is up and names them, in order of arrival.
  [[nodiscard]] std::vector<token> expire(steady_time now);

  [[nodiscard]] std::size_t size() const noexcept { return reads_.size(); }

private:
  std::unordered_map<token, pending_read> reads_;
  std::unordered_map<user_id, std::vector<token>> waiting_;
  std::unordered_map<user_id, std::size_t> counts_; // none is 0
};

} // namespace rookery::actors
