// Writes a social graph as a file of edges for `rookery load`.
//   graph USERS MEAN SEED FILE
#include "nodes/load/graph_generator.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>

using namespace rookery;

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: graph USERS MEAN SEED FILE\n";
    return 2;
  }
  nodes::graph_options wanted;
  wanted.users = static_cast<std::uint32_t>(std::atol(argv[1]));
  wanted.mean_degree = std::atof(argv[2]);
  wanted.seed = std::strtoull(argv[3], nullptr, 10);
  std::ofstream out{argv[4]};
  for (auto& x : nodes::generate_graph(wanted))
    out << x.follower << ' ' << x.followee << '\n';
  out.flush();
  if (!out)
    std::cerr << "graph: cannot write " << argv[4] << '\n';
  return out ? 0 : 1;
}
