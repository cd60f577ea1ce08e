#include "nodes/program/node_flags.hpp"

#include "nodes/config/node_config.hpp"
#include "nodes/config/strict_file.hpp"
#include "nodes/program/process_name.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <iostream>

namespace rookery {

namespace {

constexpr std::size_t name_bytes_max = 64; // bridge_options::node_name
constexpr unsigned timeout_ms_max = 3'600'000;

bridge::endpoint endpoint_of(const std::string& text) {
  if (auto result = bridge::parse_endpoint(text))
    return *result;
  throw CLI::ValidationError{"'" + text
                             + "' is not host:port (port up to 65535)"};
}

bridge::endpoint broker_of(const std::string& text) {
  auto result = endpoint_of(text);
  if (result.port == 0)
    throw CLI::ValidationError{"'" + text + "': port 0 cannot be connected to"};
  return result;
}

/// The flags of one program, and the variables that they have.
class flag_parser {
public:
  explicit flag_parser(const std::map<std::string, std::string>& roles) {
    app_.set_config("--config", "",
                    "File of lines KEY = VALUE; keys are the long flags");
    app_.config_formatter(nodes::strict_file(
        [this](const std::string& key) -> std::optional<std::string> {
          const auto* option = app_.get_option_no_throw("--" + key);
          return option == nullptr ? std::nullopt
                                   : std::optional{option->get_envname()};
        }));
    if (!roles.empty())
      add_roles(roles);
    add("name", read_.name, "Names this node in logs and addresses");
    add_endpoints();
    add("user", read_.user, "SASL PLAIN; without it ANONYMOUS");
    add("password", read_.password, "Better given by its variable");
    add("log-level", read_.log_level, "debug, info, warning or error")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
        ->capture_default_str();
    add_span("connect-timeout-ms", read_.connect_timeout,
             "To be connected and to have all that was declared");
    add_span("stop-timeout-ms", read_.stop_timeout,
             "From the first signal to the end");
  }

  bridge::expected<node_flags, int> parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& x) {
      app_.exit(x);
      return bridge::unexpected{0};
    } catch (const CLI::ParseError& x) {
      std::cerr << app_.get_name() << ": " << x.what() << '\n';
      return bridge::unexpected{2};
    }
    if (read_.name.empty())
      read_.name = nodes::process_name();
    if (read_.name.size() > name_bytes_max) {
      std::cerr << app_.get_name() << ": --name has more than "
                << name_bytes_max << " bytes\n";
      return bridge::unexpected{2};
    }
    return std::move(read_);
  }

private:
  static std::string variable_of(std::string flag) {
    std::transform(flag.begin(), flag.end(), flag.begin(), [](unsigned char c) {
      return c == '-' ? '_' : static_cast<char>(std::toupper(c));
    });
    return "ROOKERY_" + flag;
  }

  template <class T>
  CLI::Option* add(const std::string& flag, T& into, const std::string& help) {
    return app_.add_option("--" + flag, into, help)->envname(variable_of(flag));
  }

  void add_roles(const std::map<std::string, std::string>& roles) {
    std::vector<std::string> names;
    std::string help = "What this node does, any of:";
    for (const auto& [name, about] : roles) {
      names.push_back(name);
      help += "\n  " + name + (about.empty() ? "" : ": " + about);
    }
    add("roles", read_.roles, help)
        ->delimiter(',')
        ->required()
        ->check(CLI::IsMember(names));
  }

  void add_endpoints() {
    app_.add_option_function<std::vector<std::string>>(
            "--brokers",
            [this](const std::vector<std::string>& all) {
              read_.brokers.clear();
              for (const auto& each : all)
                read_.brokers.push_back(broker_of(each));
            },
            "Brokers as host:port, the preferred one first; default: the own "
            "one with --listen, else 127.0.0.1:5672")
        ->delimiter(',')
        ->envname(variable_of("brokers"));
    app_.add_option_function<std::string>(
            "--listen",
            [this](const std::string& x) { read_.listen = endpoint_of(x); },
            "Runs the embedded broker here, at host:port")
        ->envname(variable_of("listen"));
  }

  void add_span(const std::string& flag, std::chrono::milliseconds& into,
                const std::string& help) {
    app_.add_option_function<unsigned>(
            "--" + flag,
            [&into](unsigned x) { into = std::chrono::milliseconds{x}; }, help)
        ->check(CLI::Range(1u, timeout_ms_max))
        ->default_str(std::to_string(into.count()))
        ->envname(variable_of(flag));
  }

  CLI::App app_;
  node_flags read_;
};

} // namespace

bridge::expected<node_flags, int>
parse_flags(int argc, const char* const* argv,
            const std::map<std::string, std::string>& roles) {
  return flag_parser{roles}.parse(argc, argv);
}

} // namespace rookery
