// Goal: followers and followed always agree, and a position in a list of
// followers stays good whatever happens to the list.
// Method: small examples; then random changes against std::set, from a seed
// that is printed on failure (ROOKERY_SEED=<seed> replays that one).
#include "actors/fanout/social_graph.hpp"
#include "testing/seed.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <utility>
#include <vector>

using namespace rookery::actors;

namespace {

std::vector<user_id> followers(const social_graph& graph, user_id author) {
  std::vector<user_id> result;
  if (auto slot = graph.users().find(author))
    for (auto follower : graph.followers(*slot))
      if (follower != social_graph::gap)
        result.push_back(graph.users()[follower]);
  return result;
}

std::vector<user_id> followed(const social_graph& graph, user_id follower) {
  std::vector<user_id> result;
  if (auto slot = graph.users().find(follower))
    for (auto author : graph.followed(*slot))
      result.push_back(graph.users()[author]);
  std::sort(result.begin(), result.end());
  return result;
}

std::string random_changes(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  social_graph graph{random()};
  std::set<std::pair<user_id, user_id>> oracle;
  constexpr std::uint64_t users = 60;
  for (int i = 0; i < 100; ++i) {
    auto key = std::pair{random() % users, random() % 4};
    graph.load(key.first, key.second);
    if (key.first != key.second)
      oracle.insert(key);
  }
  graph.loaded();
  for (int step = 0; step < 3000; ++step) {
    auto follower = random() % users;
    auto author = random() % 4;
    // The share of follows swings, so that lists become sparse.
    auto follows = random() % 100 < (step / 500 % 2 == 0 ? 80 : 15);
    auto key = std::pair{follower, author};
    auto changed = follows ? graph.follow(follower, author)
                           : graph.unfollow(follower, author);
    auto expected = follows ? follower != author && oracle.insert(key).second
                            : oracle.erase(key) == 1;
    if (changed != expected)
      return "another answer than the oracle";
    auto slot = graph.users().find(author);
    if (slot && graph.is_sparse(*slot))
      graph.compact(*slot);
    if (slot && graph.followers(*slot).size() > 2 * users)
      return "a list full of gaps";
  }
  if (graph.edges() != oracle.size())
    return "another number of edges";
  for (user_id user = 0; user < users; ++user) {
    std::vector<user_id> followers_wanted;
    std::vector<user_id> followed_wanted;
    for (auto& [follower, author] : oracle) {
      if (author == user)
        followers_wanted.push_back(follower);
      if (follower == user)
        followed_wanted.push_back(author);
    }
    auto found = followers(graph, user);
    std::sort(found.begin(), found.end());
    if (found != followers_wanted || followed(graph, user) != followed_wanted)
      return "other edges than the oracle";
  }
  return {};
}

} // namespace

TEST_CASE("user_index: any number is a user, each with one slot",
          "[actors][fanout]") {
  user_index uut{42};
  constexpr auto last = std::numeric_limits<user_id>::max();
  CHECK_FALSE(uut.find(0));
  CHECK(uut.intern(0) == 0);
  CHECK(uut.intern(last) == 1);
  CHECK(uut.intern(0) == 0);
  for (user_id user = 1; user <= 5000; ++user)
    uut.intern(user << 40);
  CHECK(uut.size() == 5002);
  CHECK(uut.find(last) == 1U);
  for (user_id user = 1; user <= 5000; ++user) {
    auto slot = uut.find(user << 40);
    REQUIRE(slot);
    REQUIRE(uut[*slot] == user << 40);
  }
  CHECK_FALSE(uut.find(7));
}

TEST_CASE("social_graph: an edge is there once", "[actors][fanout]") {
  social_graph uut;
  CHECK(uut.follow(1, 9));
  CHECK_FALSE(uut.follow(1, 9));
  CHECK(uut.follow(2, 9));
  CHECK(uut.edges() == 2);
  CHECK(followers(uut, 9) == std::vector<user_id>{1, 2});
  CHECK(followed(uut, 1) == std::vector<user_id>{9});
  CHECK(uut.unfollow(1, 9));
  CHECK_FALSE(uut.unfollow(1, 9));
  CHECK_FALSE(uut.unfollow(7, 9));
  CHECK_FALSE(uut.unfollow(1, 7));
  CHECK(uut.edges() == 1);
  CHECK(followers(uut, 9) == std::vector<user_id>{2});
}

TEST_CASE("social_graph: loads edges in any order, and each once",
          "[actors][fanout]") {
  social_graph uut;
  for (user_id author : {9, 3, 7, 3, 1, 9, 3})
    uut.load(1, author); // 1 is himself
  uut.load(2, 3);
  uut.loaded();
  CHECK(uut.edges() == 4);
  CHECK(followed(uut, 1) == std::vector<user_id>{3, 7, 9});
  CHECK(followers(uut, 3) == std::vector<user_id>{1, 2});
  CHECK(followers(uut, 9) == std::vector<user_id>{1});
  CHECK_FALSE(uut.follow(1, 7));
  CHECK(uut.unfollow(1, 3));
  CHECK_FALSE(uut.unfollow(1, 3));
  CHECK(followers(uut, 3) == std::vector<user_id>{2});
  CHECK(uut.follow(1, 3));
  CHECK(uut.edges() == 4);
}

TEST_CASE("social_graph: nobody has an edge to himself", "[actors][fanout]") {
  social_graph uut;
  CHECK_FALSE(uut.follow(1, 1));
  CHECK_FALSE(uut.unfollow(1, 1));
  CHECK(uut.edges() == 0);
}

TEST_CASE("social_graph: who leaves keeps the others in their places",
          "[actors][fanout]") {
  social_graph uut;
  for (user_id user = 0; user < 40; ++user)
    uut.follow(user, 99);
  auto author = *uut.users().find(99);
  auto third = uut.followers(author)[30];
  for (user_id user = 0; user < 20; ++user)
    uut.unfollow(user, 99);
  CHECK(uut.followers(author).size() == 40);
  CHECK(uut.followers(author)[30] == third);
  CHECK(uut.followers_before(author, 30) == 10);
  CHECK_FALSE(uut.is_sparse(author)); // half of it is
  uut.unfollow(39, 99);
  REQUIRE(uut.is_sparse(author));
  uut.compact(author);
  CHECK(uut.followers(author).size() == 19);
  CHECK(uut.followers(author)[10] == third);
  CHECK(uut.unfollow(38, 99)); // finds its new place
  CHECK(followers(uut, 99).size() == 18);
}

TEST_CASE("social_graph: random changes end as in the oracle",
          "[actors][fanout]") {
  rookery::testing::each_seed(
      30, [](std::uint64_t seed) { REQUIRE(random_changes(seed) == ""); });
}
