#include "nodes/load/graph_generator.hpp"

#include "nodes/load/seeded_random.hpp"
#include "nodes/load/weighted_choice.hpp"

#include <algorithm>
#include <cmath>

namespace rookery::nodes {

namespace {

/// How strongly users attract followers: heavy-tailed, and nobody more than
/// `share_max` allows if all edges are drawn.
std::vector<double> popularity(const graph_options& x, seeded_random& random) {
  std::vector<double> result(x.users);
  double sum = 0;
  for (auto& weight : result)
    sum += weight = random.pareto(x.tail - 1.0);
  // A weight w draws about w / sum of users * mean_degree edges.
  auto weight_max = x.share_max * sum / x.mean_degree;
  for (auto& weight : result)
    weight = std::min(weight, weight_max);
  return result;
}

/// How many each user follows.
std::vector<std::uint32_t> degrees(const graph_options& x,
                                   seeded_random& random) {
  auto degree_max = std::max(1.0, x.share_max * x.users);
  // Those who drown and the answered edges take their part of the mean.
  auto rest = x.mean_degree / (1.0 + x.reciprocity) - x.drowning * degree_max;
  std::vector<std::uint32_t> result(x.users);
  for (auto& degree : result) {
    auto drawn = random.unit() < x.drowning
                     ? degree_max
                     : std::max(1.0, rest) * random.lognormal(1.0);
    degree = static_cast<std::uint32_t>(
        std::clamp(std::round(drawn), 1.0, degree_max));
  }
  return result;
}

} // namespace

std::vector<edge> generate_graph(const graph_options& options) {
  seeded_random random{options.seed};
  weighted_choice followee{popularity(options, random)};
  auto wanted = degrees(options, random);
  std::vector<edge> result;
  for (std::uint32_t user = 0; user < options.users; ++user)
    for (std::uint32_t i = 0; i < wanted[user]; ++i) {
      auto other = followee.draw(random);
      if (other == user)
        continue;
      result.push_back({user, other});
      if (random.unit() < options.reciprocity)
        result.push_back({other, user});
    }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

} // namespace rookery::nodes
