#include "actors/follower/follower_core.hpp"

#include "actors/errc.hpp"
#include "actors/store/fingerprint.hpp"
#include "actors/store/request_check.hpp"

#include <string_view>
#include <utility>

namespace rookery::actors {

using service::v1::EdgesRequest;
using service::v1::FollowRequest;
using service::v1::ImportEdgesRequest;
using service::v1::LogRow;
using service::v1::UnfollowRequest;
using store::check_range;
using store::edge;

namespace {

constexpr std::uint32_t edges_max = 4'000;

// An import makes one row for each pair, and its rows are one group.
constexpr auto pairs_max = store::group_rows_max;

/// FollowRequest and UnfollowRequest have the same fields.
template <class Request>
caf::expected<follow_request>
accept_one(const Request& request, std::string_view verb, bool follow,
           std::uint32_t index, std::uint32_t count) {
  if (auto error = store::check_partition(request.follower(), index, count))
    return error;
  if (auto error = store::check_key(request.idempotency_key()))
    return error;
  store::fingerprint print;
  print.add(verb).add(request.follower()).add(request.followee());
  follow_change change{{{request.follower(), request.followee()}}, follow};
  return follow_request{std::move(change), request.idempotency_key(),
                        print.value()};
}

/// Makes the rows of one change and returns their number.
std::uint64_t decide(const follow_change& change, std::set<edge>& known,
                     service::v1::LogBatch& batch) {
  std::uint64_t changed = 0;
  for (auto& x : change.edges) {
    if (x.follower == x.followee || known.contains(x) == change.follow)
      continue;
    if (change.follow)
      known.insert(x);
    else
      known.erase(x);
    auto& row = *batch.add_rows();
    row.set_kind(change.follow ? LogRow::FOLLOWED : LogRow::UNFOLLOWED);
    row.set_user(x.follower);
    row.set_subject(x.followee);
    ++changed;
  }
  return changed;
}

} // namespace

follower_core::follower_core(std::uint32_t index, std::uint32_t count)
    : index_(index),
      count_(count) {}

caf::expected<follow_request>
follower_core::accept(const FollowRequest& request) const {
  return accept_one(request, "follow", true, index_, count_);
}

caf::expected<follow_request>
follower_core::accept(const UnfollowRequest& request) const {
  return accept_one(request, "unfollow", false, index_, count_);
}

caf::expected<follow_request>
follower_core::accept(const ImportEdgesRequest& request) const {
  auto count = static_cast<std::uint64_t>(request.followers_size());
  auto followees = static_cast<std::uint64_t>(request.followees_size());
  if (auto error = check_range("number of followers", count, 0, pairs_max))
    return error;
  if (auto error = check_range("number of followees", followees, count, count))
    return error;
  follow_request result;
  for (int i = 0; i < request.followers_size(); ++i) {
    edge x{request.followers(i), request.followees(i)};
    if (auto error = store::check_partition(x.follower, index_, count_))
      return error;
    result.change.edges.push_back(x);
  }
  return result;
}

caf::error follower_core::check(const EdgesRequest& request) const {
  if (request.has_after_follower() != request.has_after_followee())
    return caf::make_error(errc::invalid_argument,
                           "after_follower and after_followee belong together");
  return check_range("edges_max", request.edges_max(), 1, edges_max);
}

store::group_plan follower_core::plan(std::span<const follow_request> group,
                                      std::set<edge> known,
                                      store::key_ledger& keys) const {
  store::group_plan result;
  for (auto& request : group)
    result.answers.push_back(keys.once(request.key, request.fingerprint, [&] {
      return decide(request.change, known, result.changes.batch);
    }));
  return result;
}

} // namespace rookery::actors
