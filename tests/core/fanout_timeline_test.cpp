// Goal: a timeline is the set of the greatest ids, whatever the order in which
// they came, and says so when it can no longer tell them.
// Method: small examples; then random orders against std::set, from a seed
// that is printed on failure (ROOKERY_SEED=<seed> replays that one).
#include "actors/fanout/timeline.hpp"
#include "testing/seed.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

using namespace rookery::actors;

namespace {

using ids = std::vector<tweet_id>;

timeline make(const ids& inserted, timeline_limits limits) {
  timeline result;
  std::uint64_t trimmed = 0;
  for (auto id : inserted)
    result.insert(id, limits, trimmed);
  return result;
}

ids content(const timeline& x) { return {x.ids().begin(), x.ids().end()}; }

ids top(const timeline& x, timeline_limits limits) {
  return x.newest({}, {}, limits.cap, limits);
}

// Insertions in a random order, each up to three times, each erased id only
// after it was inserted; the same final set for every order.
std::string random_orders(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  timeline_limits limits{1 + static_cast<std::uint32_t>(random() % 40)};
  std::set<tweet_id> wanted;
  auto count = random() % 200;
  for (std::uint64_t i = 0; i < count; ++i)
    wanted.insert(1 + random() % 400);
  ids all{wanted.begin(), wanted.end()};
  ids doomed;
  for (auto id : all)
    if (random() % 8 == 0)
      doomed.push_back(id);
  for (auto id : doomed)
    wanted.erase(id);
  ids oracle{wanted.rbegin(), wanted.rend()};
  oracle.resize(std::min<std::size_t>(oracle.size(), limits.cap));
  for (int order = 0; order < 5; ++order) {
    ids inserted = all;
    for (auto id : all)
      if (random() % 3 == 0)
        inserted.push_back(id);
    std::shuffle(inserted.begin(), inserted.end(), random);
    timeline uut;
    std::uint64_t trimmed = 0;
    std::set<tweet_id> gone;
    for (std::size_t i = 0; i < inserted.size(); ++i) {
      if (gone.count(inserted[i]) == 0)
        uut.insert(inserted[i], limits, trimmed);
      if (!doomed.empty() && random() % 4 == 0) {
        auto id = doomed[random() % doomed.size()];
        auto seen = inserted.begin() + static_cast<std::ptrdiff_t>(i) + 1;
        if (std::find(inserted.begin(), seen, id) != seen) {
          uut.erase(id);
          gone.insert(id);
        }
      }
      if (uut.ids().size() >= limits.trim_at())
        return "not trimmed";
    }
    for (auto id : doomed)
      uut.erase(id);
    if (!uut.is_short(limits) && top(uut, limits) != oracle)
      return "another set than the oracle";
    if (doomed.empty() && uut.is_short(limits))
      return "short without an erasure";
  }
  return {};
}

} // namespace

TEST_CASE("timeline: keeps ids ascending, each once", "[actors][timeline]") {
  timeline_limits limits{8};
  timeline uut;
  std::uint64_t trimmed = 0;
  CHECK(uut.insert(5, limits, trimmed) == timeline::outcome::inserted);
  CHECK(uut.insert(9, limits, trimmed) == timeline::outcome::inserted);
  CHECK(uut.insert(7, limits, trimmed) == timeline::outcome::inserted);
  CHECK(uut.insert(7, limits, trimmed) == timeline::outcome::duplicate);
  CHECK(uut.insert(9, limits, trimmed) == timeline::outcome::duplicate);
  CHECK(content(uut) == ids{5, 7, 9});
  CHECK(trimmed == 0);
}

TEST_CASE("timeline: is cut back to its cap a sixteenth later",
          "[actors][timeline]") {
  CHECK(timeline_limits{800}.trim_at() == 850);
  CHECK(timeline_limits{64}.trim_at() == 68);
  CHECK(timeline_limits{65}.trim_at() == 70);
  CHECK(timeline_limits{1}.trim_at() == 2);

  timeline_limits limits{800};
  timeline uut;
  std::uint64_t trimmed = 0;
  for (tweet_id id = 1; id <= 849; ++id)
    uut.insert(id, limits, trimmed);
  CHECK(uut.ids().size() == 849);
  CHECK(uut.floor() == 0);
  uut.insert(850, limits, trimmed);
  CHECK(uut.ids().size() == 800);
  CHECK(uut.floor() == 50);
  CHECK(trimmed == 50);
  CHECK(uut.insert(50, limits, trimmed) == timeline::outcome::below_floor);
  CHECK(uut.insert(51, limits, trimmed) == timeline::outcome::duplicate);
}

TEST_CASE("timeline: is short once an erasure needs what it trimmed",
          "[actors][timeline]") {
  timeline_limits limits{2};
  auto uut = make({1, 2, 3}, limits); // trims 1
  REQUIRE(content(uut) == ids{2, 3});
  CHECK_FALSE(uut.erase(1));
  CHECK_FALSE(uut.is_short(limits));
  CHECK(uut.erase(2));
  CHECK(uut.is_short(limits));

  auto never_trimmed = make({1}, limits);
  CHECK(never_trimmed.erase(1));
  CHECK_FALSE(never_trimmed.is_short(limits));
}

TEST_CASE("timeline: raising the floor drops what lies at or below it",
          "[actors][timeline]") {
  timeline_limits limits{8};
  auto uut = make({2, 4, 6, 8}, limits);
  CHECK(uut.raise_floor(4) == 2);
  CHECK(content(uut) == ids{6, 8});
  CHECK(uut.raise_floor(3) == 0);
  CHECK(uut.floor() == 4);
  CHECK(uut.raise_floor(7) == 1);
  CHECK(content(uut) == ids{8});
}

TEST_CASE("timeline: a page is newest first, within its bounds",
          "[actors][timeline]") {
  timeline_limits limits{4};
  auto uut = make({1, 2, 3, 4}, limits);
  CHECK(uut.newest({}, {}, 2, limits) == ids{4, 3});
  CHECK(uut.newest(3, {}, 2, limits) == ids{3, 2});
  CHECK(uut.newest({}, 2, 9, limits) == ids{4, 3});
  CHECK(uut.newest(3, 2, 9, limits) == ids{3});
  CHECK(uut.newest(2, 3, 9, limits).empty());
  CHECK(uut.newest(0, {}, 9, limits).empty());
  CHECK(uut.newest({}, 4, 9, limits).empty());
  CHECK(timeline{}.newest({}, {}, 9, limits).empty());
}

TEST_CASE("timeline: a page never shows what is kept beyond the cap",
          "[actors][timeline]") {
  timeline_limits limits{32}; // trimmed at 34
  ids inserted(33);
  for (std::size_t i = 0; i < inserted.size(); ++i)
    inserted[i] = i + 1;
  auto uut = make(inserted, limits);
  REQUIRE(uut.ids().size() == 33);
  CHECK(top(uut, limits).back() == 2);
  CHECK(uut.newest(1, {}, 9, limits).empty());
}

TEST_CASE("timeline: any order with repeats and erasures gives the same set",
          "[actors][timeline]") {
  rookery::testing::each_seed(
      500, [](std::uint64_t seed) { REQUIRE(random_orders(seed) == ""); });
}
