// Goal: what a shard's follow writer accepts, and how it decides a group.
// Method: the core alone, without store, clock and actors.
#include "actors/follower/follower_core.hpp"

#include "actors/errc.hpp"
#include "tests/support/catch.hpp"

#include <set>
#include <string>
#include <vector>

using namespace rookery;
using namespace rookery::actors;
using namespace service::v1;

namespace {

/// The whole service in one shard: every user belongs here.
const follower_core core{0, 1};

template <class Request>
Request one(user_id follower, user_id followee, const std::string& key = "") {
  Request result;
  result.set_follower(follower);
  result.set_followee(followee);
  result.set_idempotency_key(key);
  return result;
}

constexpr auto follow = one<FollowRequest>;
constexpr auto unfollow = one<UnfollowRequest>;

ImportEdgesRequest import_of(const std::vector<store::edge>& edges) {
  ImportEdgesRequest result;
  for (auto& x : edges) {
    result.add_followers(x.follower);
    result.add_followees(x.followee);
  }
  return result;
}

template <class... Requests>
store::group_plan decide(std::set<store::edge> known,
                         const Requests&... requests) {
  std::vector<follow_request> group{*core.accept(requests)...};
  store::key_ledger keys{{}};
  return core.plan(group, std::move(known), keys);
}

std::vector<LogRow::Kind> kinds(const store::group_plan& plan) {
  std::vector<LogRow::Kind> result;
  for (auto& row : plan.changes.batch.rows())
    result.push_back(row.kind());
  return result;
}

} // namespace

TEST_CASE("follower_core: a new edge makes a row", "[follower]") {
  auto plan = decide({}, follow(0, UINT64_MAX, ""));
  CHECK(plan.answers[0] == 1u);
  REQUIRE(plan.changes.batch.rows_size() == 1);
  auto& row = plan.changes.batch.rows(0);
  CHECK(row.kind() == LogRow::FOLLOWED);
  CHECK(row.user() == 0);
  CHECK(row.subject() == UINT64_MAX);
}

TEST_CASE("follower_core: what is so already makes no row", "[follower]") {
  auto plan = decide({{1, 2}}, follow(1, 2, ""), unfollow(2, 1, ""));
  CHECK(plan.answers[0] == 0u);
  CHECK(plan.answers[1] == 0u);
  CHECK(plan.changes.empty());
}

TEST_CASE("follower_core: oneself is never an edge", "[follower]") {
  auto plan = decide({}, follow(1, 1, ""), unfollow(1, 1, ""),
                     import_of({{1, 1}, {1, 2}}));
  CHECK(plan.answers[0] == 0u);
  CHECK(plan.answers[1] == 0u);
  CHECK(plan.answers[2] == 1u);
  CHECK(plan.changes.batch.rows_size() == 1);
}

TEST_CASE("follower_core: a group keeps its order, a row for every change",
          "[follower]") {
  auto plan = decide({}, follow(1, 2, ""), unfollow(1, 2, ""), follow(1, 2, ""),
                     follow(1, 2, ""));
  CHECK(plan.answers
        == std::vector<caf::expected<std::uint64_t>>{1u, 1u, 1u, 0u});
  CHECK(kinds(plan)
        == std::vector<LogRow::Kind>{LogRow::FOLLOWED, LogRow::UNFOLLOWED,
                                     LogRow::FOLLOWED});
}

TEST_CASE("follower_core: an import counts what it added", "[follower]") {
  auto plan = decide({{1, 2}}, import_of({{1, 2}, {1, 3}, {1, 3}, {4, 2}}),
                     import_of({}));
  CHECK(plan.answers[0] == 2u);
  CHECK(plan.answers[1] == 0u);
  CHECK(plan.changes.batch.rows_size() == 2);
}

TEST_CASE("follower_core: a key tells following from unfollowing",
          "[follower]") {
  auto plan = decide({}, follow(1, 2, "k"), follow(1, 2, "k"),
                     unfollow(1, 2, "k"), follow(1, 3, "k"));
  CHECK(plan.answers[0] == 1u);
  CHECK(plan.answers[1] == 1u); // the answer of the first time
  CHECK(plan.answers[2] == errc::key_conflict);
  CHECK(plan.answers[3] == errc::key_conflict);
}

TEST_CASE("follower_core: refuses followers of another shard", "[follower]") {
  follower_core here{1, 2};
  user_id ours = 0, theirs = 0;
  while (partition_of(ours, 2) != 1)
    ++ours;
  while (partition_of(theirs, 2) != 0)
    ++theirs;
  CHECK(here.accept(follow(ours, theirs, "")));
  CHECK(here.accept(follow(theirs, ours, "")) == errc::wrong_partition);
  CHECK(here.accept(unfollow(theirs, ours, "")) == errc::wrong_partition);
  CHECK(here.accept(import_of({{ours, theirs}, {theirs, ours}}))
        == errc::wrong_partition);
}

TEST_CASE("follower_core: refuses requests out of bounds", "[follower]") {
  auto key = std::string(65, 'k');
  CHECK(core.accept(follow(1, 2, key)) == errc::key_too_long);
  std::vector<store::edge> edges(1000, {1, 2});
  CHECK(core.accept(import_of(edges)));
  edges.push_back({1, 2});
  CHECK(core.accept(import_of(edges)) == errc::invalid_argument);
  auto odd = import_of({{1, 2}});
  odd.add_followers(3);
  CHECK(core.accept(odd) == errc::invalid_argument);
}

TEST_CASE("follower_core: refuses pages out of bounds", "[follower]") {
  EdgesRequest request;
  CHECK(core.check(request) == errc::invalid_argument);
  request.set_edges_max(4000);
  CHECK(core.check(request) == caf::none);
  request.set_edges_max(4001);
  CHECK(core.check(request) == errc::invalid_argument);
  request.set_edges_max(1);
  request.set_after_follower(0);
  CHECK(core.check(request) == errc::invalid_argument);
  request.set_after_followee(0);
  CHECK(core.check(request) == caf::none);
}
