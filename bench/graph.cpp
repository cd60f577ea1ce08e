// Writes a social graph as a file of edges for `rookery load`.
//   graph ordinary USERS MEAN SEED FILE     a generated one
//   graph celebrity FOLLOWERS FILE          all follow user 0, and nobody else
#include "nodes/load/graph_generator.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

using namespace rookery;

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: graph ordinary USERS MEAN SEED FILE\n"
                 "       graph celebrity FOLLOWERS FILE\n";
    return 2;
  }
  std::vector<nodes::edge> edges;
  if (argv[1] == std::string{"celebrity"}) {
    for (long i = 1; i <= std::atol(argv[2]); ++i)
      edges.push_back({static_cast<actors::user_id>(i), 0});
  } else if (argc == 6) {
    nodes::graph_options wanted;
    wanted.users = static_cast<std::uint32_t>(std::atol(argv[2]));
    wanted.mean_degree = std::atof(argv[3]);
    wanted.seed = std::strtoull(argv[4], nullptr, 10);
    edges = nodes::generate_graph(wanted);
  }
  std::ofstream out{argv[argc - 1]};
  for (auto& x : edges)
    out << x.follower << ' ' << x.followee << '\n';
  out.flush();
  return out && !edges.empty() ? 0 : 1;
}
