// Goal: a complete home is what its pulls and the live changes make together,
// in whatever order they come; when that cannot be told it becomes absent.
#include "actors/fanout/homes.hpp"
#include "tests/support/catch.hpp"

#include <vector>

using namespace rookery::actors;

namespace {

using ids = std::vector<tweet_id>;
using state = homes::state;

constexpr user_slot ann = 3;
constexpr user_slot bob = 0;

homes_limits capped(std::uint32_t cap) {
  homes_limits result;
  result.timeline.cap = cap;
  return result;
}

ids content(const homes& x, user_slot reader) {
  auto* entries = x.entries(reader);
  return entries == nullptr ? ids{}
                            : ids{entries->ids().begin(), entries->ids().end()};
}

void complete(homes& x, user_slot reader, const ids& descending) {
  REQUIRE(x.begin(reader, 1));
  x.merge(reader, descending, true);
  REQUIRE(x.state_of(reader) == state::complete);
}

} // namespace

TEST_CASE("homes: live changes pass an absent timeline by",
          "[actors][fanout]") {
  homes uut{capped(8)};
  uut.insert(ann, 1);
  uut.erase(ann, 1);
  uut.drop(ann);
  CHECK(uut.state_of(ann) == state::absent);
  CHECK(uut.entries(ann) == nullptr);
  CHECK(uut.counters().pushed == 0);
}

TEST_CASE("homes: pulls and live insertions make one timeline",
          "[actors][fanout]") {
  homes uut{capped(8)};
  REQUIRE(uut.begin(ann, 2));
  uut.insert(ann, 9);
  uut.merge(ann, ids{7, 5}, true);
  CHECK(uut.state_of(ann) == state::building);
  uut.insert(ann, 8);
  uut.merge(ann, ids{8, 6}, true); // 8 was read after it came live
  CHECK(uut.state_of(ann) == state::complete);
  CHECK(content(uut, ann) == ids{5, 6, 7, 8, 9});
  CHECK(uut.counters().pushed == 2);
  CHECK(uut.counters().pulled == 3);
  CHECK(uut.counters().duplicates == 1);
  CHECK(uut.complete_count() == 1);
  CHECK(uut.building_count() == 0);
}

TEST_CASE("homes: what was deleted does not come back with an older pull",
          "[actors][fanout]") {
  homes uut{capped(8)};
  REQUIRE(uut.begin(ann, 1));
  uut.insert(ann, 5);
  uut.erase(ann, 5);
  uut.erase(ann, 4);
  uut.merge(ann, ids{5, 4, 3}, true);
  CHECK(content(uut, ann) == ids{3});
}

TEST_CASE("homes: a pull that was cut off leaves a floor", "[actors][fanout]") {
  homes uut{capped(3)};
  REQUIRE(uut.begin(ann, 2));
  uut.merge(ann, ids{9, 8, 7}, false); // there is more below 7
  uut.merge(ann, ids{6, 5}, true);
  REQUIRE(uut.state_of(ann) == state::complete);
  CHECK(content(uut, ann) == ids{7, 8, 9});
  CHECK(uut.entries(ann)->floor() == 6);
  uut.erase(ann, 8); // the third is one nobody here knows
  CHECK(uut.state_of(ann) == state::absent);
}

TEST_CASE("homes: a deletion in the middle of a build shortens it",
          "[actors][fanout]") {
  homes uut{capped(3)};
  REQUIRE(uut.begin(ann, 1));
  uut.erase(ann, 8);
  uut.merge(ann, ids{9, 8, 7}, false);
  CHECK(uut.state_of(ann) == state::absent);
}

TEST_CASE("homes: too many deletions end a build", "[actors][fanout]") {
  auto limits = capped(8);
  limits.kept_max = 2;
  homes uut{limits};
  REQUIRE(uut.begin(ann, 1));
  uut.erase(ann, 1);
  uut.erase(ann, 2);
  CHECK(uut.state_of(ann) == state::building);
  uut.erase(ann, 3);
  CHECK(uut.state_of(ann) == state::absent);
  CHECK(uut.building_count() == 0);
}

TEST_CASE("homes: too many new authors end a build", "[actors][fanout]") {
  auto limits = capped(8);
  limits.kept_max = 2;
  homes uut{limits};
  REQUIRE(uut.begin(ann, 1));
  CHECK(uut.postpone(ann, {7}));
  CHECK(uut.postpone(ann, {8}));
  CHECK(uut.state_of(ann) == state::building);
  CHECK(uut.postpone(ann, {9}));
  CHECK(uut.state_of(ann) == state::absent);
  CHECK(uut.building_count() == 0);
  CHECK_FALSE(uut.postpone(ann, {9}));
}

TEST_CASE("homes: a complete timeline takes in another author",
          "[actors][fanout]") {
  homes uut{capped(8)};
  complete(uut, ann, {5, 3});
  auto before = uut.generation(ann);
  REQUIRE(uut.expect(ann, 1));
  CHECK(uut.state_of(ann) == state::building);
  uut.insert(ann, 6);
  REQUIRE(uut.expect(ann, 1)); // and one more
  uut.merge(ann, ids{4}, true);
  CHECK(uut.state_of(ann) == state::building);
  uut.merge(ann, ids{2}, true);
  CHECK(uut.state_of(ann) == state::complete);
  CHECK(content(uut, ann) == ids{2, 3, 4, 5, 6});
  CHECK(uut.generation(ann) == before);
}

TEST_CASE("homes: every build has a generation of its own",
          "[actors][fanout]") {
  homes uut{capped(8)};
  complete(uut, ann, {1});
  auto first = uut.generation(ann);
  uut.drop(ann);
  CHECK(uut.generation(ann) == 0);
  REQUIRE(uut.begin(ann, 1));
  CHECK(uut.generation(ann) != first);
}

TEST_CASE("homes: as many builds as allowed at a time", "[actors][fanout]") {
  auto limits = capped(8);
  limits.builds_max = 1;
  homes uut{limits};
  complete(uut, bob, {1});
  REQUIRE(uut.begin(ann, 1));
  CHECK_FALSE(uut.begin(5, 1));
  CHECK(uut.expect(ann, 1));
  CHECK_FALSE(uut.expect(bob, 1));
  CHECK(uut.state_of(bob) == state::absent);
}

TEST_CASE("homes: the timeline nobody read makes room", "[actors][fanout]") {
  auto limits = capped(8);
  limits.timelines_max = 2;
  homes uut{limits};
  complete(uut, 0, {1});
  complete(uut, 1, {1});
  complete(uut, 2, {1}); // all were read since: one of them goes
  REQUIRE(uut.complete_count() == 2);
  REQUIRE(uut.state_of(2) == state::complete);
  auto other = uut.state_of(0) == state::complete ? 0U : 1U;
  uut.mark_read(other);
  complete(uut, 4, {1});
  CHECK(uut.complete_count() == 2);
  complete(uut, 5, {1});
  CHECK(uut.complete_count() == 2);
  CHECK(uut.state_of(5) == state::complete);
}

TEST_CASE("homes: the debug switch withholds one insertion at every moment",
          "[actors][fanout]") {
  auto limits = capped(8);
  limits.drop_one = true;
  homes uut{limits};
  complete(uut, ann, {1});
  complete(uut, bob, {1});
  uut.insert(ann, 2);
  CHECK(content(uut, ann) == ids{1});
  uut.insert(bob, 2);
  uut.insert(bob, 3);
  CHECK(content(uut, ann) == ids{1, 2});
  CHECK(content(uut, bob) == ids{1, 2});
  uut.erase(bob, 3);
  uut.insert(ann, 4);
  CHECK(content(uut, bob) == ids{1, 2}); // 3 was deleted meanwhile
  uut.drop(ann);
  complete(uut, ann, {4});
  uut.insert(bob, 5);
  CHECK(content(uut, ann) == ids{4}); // the new timeline pulled it
}
