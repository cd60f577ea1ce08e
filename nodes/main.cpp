// The `rookery` binary: finds the command and runs it.
#include "nodes/client/commands.hpp"
#include "nodes/drive/load_command.hpp"
#include "nodes/node/node_command.hpp"
#include "nodes/parked/dlq_command.hpp"
#include "nodes/verify/verify_command.hpp"

#include <array>
#include <exception>
#include <iostream>

namespace {

using namespace rookery::nodes;

struct command {
  std::string_view name;
  std::string_view about;
  exit_code (*run)(const std::vector<std::string>&);
};

constexpr std::array commands = {
    command{"node", "runs a node of the service", node_command},
    command{"post", "posts a tweet", post_command},
    command{"delete", "deletes a tweet", delete_command},
    command{"follow", "makes a user follow another", follow_command},
    command{"unfollow", "ends that", unfollow_command},
    command{"timeline", "prints a home timeline", timeline_command},
    command{"import-edges", "makes users follow each other, from a file",
            import_edges_command},
    command{"dlq", "looks after messages that were given up", dlq_command},
    command{"load", "offers a load and measures", load_command},
    command{"verify", "proves that all timelines are right", verify_command},
};

void print_usage(std::ostream& out) {
  out << "usage: rookery COMMAND [OPTIONS]\n\ncommands:\n";
  for (auto& x : commands)
    out << "  " << x.name << std::string(14 - x.name.size(), ' ') << x.about
        << '\n';
  out << "\n`rookery COMMAND --help` explains each. Exit codes: 0 it worked, 1 "
         "it did not,\n2 the command line, the configuration or an input file "
         "is wrong. `rookery --version` prints the version.\n";
}

exit_code run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    print_usage(std::cerr);
    return exit_code::usage;
  }
  auto& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage(std::cout);
    return exit_code::ok;
  }
  if (name == "--version") {
    std::cout << "rookery " ROOKERY_VERSION "\n";
    return exit_code::ok;
  }
  for (auto& x : commands)
    if (x.name == name)
      return x.run({arguments.begin() + 1, arguments.end()});
  std::cerr << "rookery: unknown command '" << name
            << "'; `rookery --help` lists them\n";
  return exit_code::usage;
}

} // namespace

int main(int argc, char** argv) {
  try {
    auto result = run({argv + 1, argv + argc});
    // What was not written must not count as told.
    if (!std::cout.flush() && result == exit_code::ok) {
      std::cerr << "rookery: cannot write to standard output\n";
      result = exit_code::failed;
    }
    return static_cast<int>(result);
  } catch (const std::exception& x) {
    std::cerr << "rookery: " << x.what() << '\n';
    return static_cast<int>(exit_code::failed);
  }
}
