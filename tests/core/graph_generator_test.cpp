// Goal: the generated graph is the same for the same seed and looks like a
// social network: a heavy tail of followers, nobody above the cap.
#include "nodes/load/graph_generator.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <vector>

namespace {

using namespace rookery::nodes;

/// Followers of each user, descending.
std::vector<std::uint32_t> followers(const graph_options& options) {
  std::vector<std::uint32_t> result(options.users);
  for (auto& x : generate_graph(options))
    ++result[x.followee];
  std::sort(result.rbegin(), result.rend());
  return result;
}

} // namespace

TEST_CASE("graph generator: a seed gives one graph",
          "[nodes][graph_generator]") {
  CHECK(generate_graph({.users = 500, .seed = 3})
        == generate_graph({.users = 500, .seed = 3}));
  CHECK(generate_graph({.users = 500, .seed = 3})
        != generate_graph({.users = 500, .seed = 4}));
}

TEST_CASE("graph generator: edges are sorted, unique and never to oneself",
          "[nodes][graph_generator]") {
  auto edges = generate_graph({.users = 500});
  CHECK(std::is_sorted(edges.begin(), edges.end()));
  CHECK(std::adjacent_find(edges.begin(), edges.end()) == edges.end());
  for (auto& x : edges) {
    REQUIRE(x.follower != x.followee);
    REQUIRE(x.follower < 500);
    REQUIRE(x.followee < 500);
  }
}

TEST_CASE("graph generator: the in-degree has a heavy tail and a cap",
          "[nodes][graph_generator]") {
  for (std::uint64_t seed : {1, 2, 3}) {
    auto degrees = followers({.users = 10'000, .seed = seed});
    std::uint64_t sum = 0;
    for (auto degree : degrees)
      sum += degree;
    INFO("seed " << seed << ", edges " << sum);
    CHECK(sum > 170'000);
    CHECK(sum < 230'000);
    CHECK(degrees[5'000] < 15);   // the median is far below the mean,
    CHECK(degrees[0] > 1'000);    // the celebrity far above,
    CHECK(degrees[0] <= 2'200);   // but within about share_max,
    CHECK(degrees[100] > 5 * 20); // and there are many who are well known
  }
}

TEST_CASE("graph generator: tiny graphs work", "[nodes][graph_generator]") {
  CHECK(generate_graph({.users = 2}).size() <= 2);
  CHECK_FALSE(generate_graph({.users = 10}).empty());
}
