// Fan-out in one thread, without transport and disk, beside the least that any
// fan-out must do: one append to the ring of each follower.
//   fan_out rings|shard USERS TWEETS SEED
// Both take the same tweets by the same authors of the same graph; setting up
// is not timed.
#include "bench/fan_out_shard.hpp"
#include "bench/result.hpp"
#include "nodes/load/graph_generator.hpp"
#include "nodes/load/seeded_random.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <string>

using namespace rookery;

namespace {

constexpr std::uint32_t ring_entries = 800;
constexpr std::size_t group = 64; // tweets of a commit group

/// One flat array for all.
class rings {
public:
  rings(std::uint32_t users, std::span<const nodes::edge> edges)
      : followers_(users),
        heads_(users),
        entries_(std::size_t{users} * ring_entries, 1) {
    for (auto& x : edges)
      followers_[x.followee].push_back(static_cast<std::uint32_t>(x.follower));
  }

  void post(actors::user_id author, std::uint64_t tweet) {
    for (auto follower : followers_[author]) {
      auto& head = heads_[follower];
      entries_[std::size_t{follower} * ring_entries + head] = tweet;
      head = head + 1 == ring_entries ? 0 : head + 1;
    }
  }

private:
  std::vector<std::vector<std::uint32_t>> followers_;
  std::vector<std::uint32_t> heads_;
  std::vector<std::uint64_t> entries_;
};

void run_rings(std::uint32_t users, std::span<const nodes::edge> edges,
               std::span<const actors::user_id> authors) {
  std::vector<std::uint64_t> degrees(users);
  for (auto& x : edges)
    ++degrees[x.followee];
  std::uint64_t deliveries = 0;
  for (auto author : authors)
    deliveries += degrees[author];
  rings all{users, edges};
  const auto begin = bench::clock::now();
  for (std::size_t i = 0; i < authors.size(); ++i)
    all.post(authors[i], i + 1);
  bench::print_rate(deliveries, begin);
}

void run_shard(std::uint32_t users, std::span<const nodes::edge> edges,
               std::span<const actors::user_id> authors) {
  std::vector<actors::user_id> everybody(users);
  std::iota(everybody.begin(), everybody.end(), 0);
  bench::fan_out_shard shard{edges};
  shard.start();
  shard.read_homes(everybody);
  const auto pushed = shard.status().pushed();
  const auto begin = bench::clock::now();
  for (; !authors.empty();
       authors = authors.subspan(std::min(group, authors.size()))) {
    shard.post(authors.first(std::min(group, authors.size())));
    shard.expand();
  }
  bench::print_rate(shard.status().pushed() - pushed, begin);
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::cerr << "usage: fan_out rings|shard USERS TWEETS SEED\n";
    return 2;
  }
  nodes::graph_options wanted;
  wanted.users = static_cast<std::uint32_t>(std::atoi(argv[2]));
  wanted.mean_degree = 75;
  wanted.seed = std::strtoull(argv[4], nullptr, 10);
  const auto edges = nodes::generate_graph(wanted);
  nodes::seeded_random random{wanted.seed};
  std::vector<actors::user_id> authors(std::strtoull(argv[3], nullptr, 10));
  for (auto& author : authors)
    author = random.below(wanted.users);
  if (argv[1] == std::string{"rings"})
    run_rings(wanted.users, edges, authors);
  else
    run_shard(wanted.users, edges, authors);
  return 0;
} catch (const std::exception& failed) {
  std::cerr << "fan_out: " << failed.what() << '\n';
  return 1;
}
