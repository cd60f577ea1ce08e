// Goal: an edge file is read whole or not at all; a bad line is named.
#include "nodes/load/edge_file.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/failing_input.hpp"

#include <sstream>

namespace {

using namespace rookery::nodes;

auto read(const std::string& text, edge_file_options options = {}) {
  std::istringstream input{text};
  return read_edges(input, options);
}

} // namespace

TEST_CASE("edge file: comments, blank lines and odd blanks are fine",
          "[nodes][edge_file]") {
  auto edges = read("# a graph\n\n  2\t1  # two follows one\r\n1 2\n2 1\n"
                    "18446744073709551615 0");
  REQUIRE(edges);
  CHECK(*edges
        == std::vector<edge>{{1, 2}, {2, 1}, {18446744073709551615U, 0}});
}

TEST_CASE("edge file: a disk that fails is not the end of the file",
          "[nodes][edge_file]") {
  rookery::failing_input input{"1 2\n2 3\n"};
  auto edges = read_edges(input, {});
  REQUIRE_FALSE(edges);
  CHECK(edges.error() == "cannot be read to its end");
}

TEST_CASE("edge file: undirected lines are followed both ways",
          "[nodes][edge_file]") {
  auto edges = read("2 1\n3 2\n", {.undirected = true});
  REQUIRE(edges);
  CHECK(*edges == std::vector<edge>{{1, 2}, {2, 1}, {2, 3}, {3, 2}});
  CHECK(users_of(*edges) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("edge file: a bad line is named with its number",
          "[nodes][edge_file]") {
  CHECK(read("1 2\n\n3\n").error()
        == "line 3: '3': expected two users: FOLLOWER FOLLOWEE");
  CHECK(read("1 2 3\n").error()
        == "line 1: '1 2 3': expected two users and nothing else");
  CHECK(read("1 -2\n").error()
        == "line 1: '1 -2': '-2' is not a user: a whole number, "
           "0..18446744073709551615");
  CHECK_FALSE(read("1 18446744073709551616\n"));
  CHECK_FALSE(read("ann bob\n"));
}

TEST_CASE("edge file: too many edges are refused", "[nodes][edge_file]") {
  CHECK(read("1 2\n1 3\n1 4\n", {.edges_max = 2}).error()
        == "line 3: '1 4': more than 2 edges");
}

TEST_CASE("edge file: a file that cannot be read says why",
          "[nodes][edge_file]") {
  CHECK(read_edge_file("/nowhere/at.all").error()
        == "/nowhere/at.all: cannot be read: No such file or directory");
  CHECK(read_edge_file("/").error() == "/: cannot be read: Is a directory");
}
