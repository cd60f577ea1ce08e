#include "nodes/client/commands.hpp"
#include "nodes/client/edge_import.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace rookery::nodes {

exit_code import_edges_command(const arguments& x) {
  CLI::App app{"Makes users follow each other: a file of lines FOLLOWER "
               "FOLLOWEE, # starts a comment. The whole file is checked first; "
               "with one bad line nothing is imported (exit code 2).",
               "rookery import-edges"};
  client_options options;
  std::string file;
  edge_file_options format;
  add_client_options(app, options);
  app.add_option("FILE", file, "The edges")->required();
  app.add_flag("--undirected", format.undirected,
               "Each line stands for both directions");
  if (auto ended = parse(app, x))
    return *ended;
  auto edges = read_edge_file(file, format);
  if (!edges) {
    std::cerr << app.get_name() << ": " << edges.error() << '\n';
    return exit_code::usage;
  }
  service_client client{options};
  auto why = client.connect();
  import_result result;
  if (!why) {
    result = import_edges(client, *edges, {});
    why = result.failure;
  }
  if (why) {
    std::cerr << app.get_name() << ": " << *why << '\n';
    return exit_code::failed;
  }
  std::cout << "imported " << edges->size() << " edges, " << result.added
            << " of them new" << std::endl;
  return exit_code::ok;
}

} // namespace rookery::nodes
