// The conformance suite's program: runs every script against one broker and
// writes what was expected of each and what was seen.
#include "tests/conformance/script.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace rookery::conformance;

struct options {
  std::string broker;
  std::string user;
  std::string password;
  std::string only;
  std::string out;
  bool list = false;
};

/// As one field of a line of tab-separated ones.
std::string field(std::string_view text) {
  std::string result;
  for (const char each : text)
    switch (each) {
    case '\t':
      result += "\\t";
      break;
    case '\n':
      result += "\\n";
      break;
    case '\r':
      result += "\\r";
      break;
    case '\\':
      result += "\\\\";
      break;
    default:
      result += each;
    }
  return result;
}

broker_address parse(const options& x) {
  const auto colon = x.broker.rfind(':');
  if (colon == std::string::npos)
    throw CLI::ValidationError{"--broker", "wants HOST:PORT"};
  return {x.broker.substr(0, colon), x.broker.substr(colon + 1), x.user,
          x.password};
}

/// Those that `only` names, by name or group; all without it.
std::vector<script> choose(const std::string& only) {
  auto result = all_scripts();
  std::erase_if(result, [&](const script& x) {
    return !only.empty() && x.name != only && !x.name.starts_with(only + "/");
  });
  if (result.empty())
    throw CLI::ValidationError{"--only", "no such script: " + only};
  return result;
}

/// Of names that another run, even at the same time, does not use.
std::string make_prefix() {
  std::ostringstream text;
  text << "conformance-" << std::hex << std::random_device{}() << '-';
  return text.str();
}

/// What the broker says it is. Nothing when it cannot be asked: then every
/// script tells why.
std::string product_of(const broker_address& where) {
  std::string product;
  std::string version;
  try {
    event_loop loop;
    const client asking{loop, where, "conformance"};
    for (const auto& [key, text] : asking.peer().properties) {
      if (key == "product")
        product = text;
      if (key == "version")
        version = text;
    }
  } catch (const unfulfilled&) {
    return "?";
  }
  return product + " " + version;
}

int run_all(const options& x) {
  const auto where = parse(x);
  const auto scripts = choose(x.only);
  std::ofstream out{x.out};
  if (!out) {
    std::cerr << "conformance: cannot write " << x.out << '\n';
    return 2;
  }
  std::cout << "conformance: broker=" << product_of(where) << std::endl;
  const auto prefix = make_prefix();
  std::size_t agreed = 0;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    const auto& each = scripts[i];
    const auto seen = run(each, where, prefix + std::to_string(i) + "-");
    out << each.name << '\t' << field(each.expected) << '\t' << field(seen)
        << std::endl;
    if (seen == each.expected)
      ++agreed;
    else
      std::cout << each.name << "\n  expected: " << field(each.expected)
                << "\n  observed: " << field(seen) << std::endl;
  }
  std::cout << "conformance: scripts=" << scripts.size() << " agreed=" << agreed
            << " differed=" << scripts.size() - agreed << std::endl;
  return agreed == scripts.size() && out ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  options x;
  CLI::App app{"Compares a broker with RabbitMQ 4.0.5, script by script. "
               "Exit code 0: all agreed."};
  app.add_option("--broker", x.broker, "HOST:PORT");
  app.add_option("--user", x.user, "SASL PLAIN; without it ANONYMOUS");
  app.add_option("--password", x.password);
  app.add_option("--only", x.only, "one script, or one group of them");
  app.add_option("--out", x.out,
                 "file: name, expected and observed, tab-separated");
  app.add_flag("--list", x.list, "print name and purpose of each script only");
  try {
    app.parse(argc, argv);
    if (x.list) {
      for (const auto& each : choose(x.only))
        std::cout << each.name << '\t' << each.shows << '\n';
      return 0;
    }
    if (x.broker.empty() || x.out.empty())
      throw CLI::RequiredError{"--broker and --out"};
    return run_all(x);
  } catch (const CLI::ParseError& why) {
    const auto code = app.exit(why);
    return code == 0 ? 0 : 2;
  }
}
