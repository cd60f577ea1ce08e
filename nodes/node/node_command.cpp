#include "nodes/node/node_command.hpp"

#include "nodes/node/node.hpp"
#include "nodes/program/process_name.hpp"
#include "nodes/program/ready_file.hpp"
#include "nodes/program/stop_signal.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <utility>

namespace rookery::nodes {

namespace {

constexpr const char* about =
    "Runs a node until SIGTERM or SIGINT. It logs a line with event=ready once "
    "it is attached.\n"
    "Exit codes: 0 stopped in order; 1 something did not work; 2 the "
    "configuration is wrong.";

void fill_defaults(node_config& x) {
  if (x.node_name.empty())
    x.node_name = process_name();
  if (x.brokers.empty() && !x.has(role::broker))
    x.brokers = {bridge::endpoint{}};
}

std::string names_of(const std::set<role>& x) {
  std::string result;
  for (auto one : x)
    result.append(result.empty() ? "" : ",").append(to_string(one));
  return result;
}

/// Tells health checks, meanwhile, how things are.
void serve_until_stopped(const node_config& config, const node& self,
                         stop_signal& signal, ready_file& ready,
                         node_log& log) {
  constexpr std::chrono::seconds look{1};
  auto told = false;
  do {
    const auto attached = self.attached();
    if (!ready.set(attached) && attached && !std::exchange(told, true))
      log.write(severity::warning, "ready-file",
                {{"text", "cannot write " + config.ready_file}});
  } while (!signal.wait_for(look));
}

exit_code run(const node_config& config, const std::string& program) {
  auto log = std::make_shared<node_log>(config.log_level, config.node_name);
  stop_signal signal{config.stop_timeout, [&](const char* why) {
                       log->write(severity::error, "killed", {{"why", why}});
                     }};
  log->write(severity::info, "starting", {{"roles", names_of(config.roles)}});
  ready_file ready{config.ready_file};
  static_cast<void>(ready.set(false)); // that of an earlier life
  if (config.has(role::broker) && config.roles.size() > 1
      && !config.brokers.empty())
    log->write(severity::info, "broker-elsewhere",
               {{"text", "this node connects to the brokers it is told of "
                         "(brokers), and to its own only if that is one"}});
  node self{config, log};
  auto why = self.start([&] { return signal.stopping(); });
  if (why) {
    self.stop(std::chrono::milliseconds{0});
    std::cerr << program << ": " << *why << std::endl;
    return exit_code::failed;
  }
  if (!signal.stopping()) {
    auto listens = self.listens();
    log->write(severity::info, "ready",
               {{"roles", names_of(config.roles)},
                {"listens", listens ? to_string(*listens) : "-"}});
  }
  serve_until_stopped(config, self, signal, ready, *log);
  log->write(severity::info, "stopping",
             {{"timeout_ms", std::to_string(config.stop_timeout.count())}});
  auto left = self.stop(config.stop_timeout * 9 / 10);
  log->write(severity::info, "stopped", {{"given_up", std::to_string(left)}});
  return exit_code::ok;
}

} // namespace

exit_code node_command(const std::vector<std::string>& arguments) {
  CLI::App app{about, "rookery node"};
  node_config config;
  auto check_only = false;
  add_node_options(app, config);
  app.add_flag("--check-config", check_only,
               "Print the effective configuration, which is a configuration "
               "file, and exit");
  if (auto ended = parse(app, arguments))
    return *ended;
  fill_defaults(config);
  if (auto fault = validate(config)) {
    std::cerr << app.get_name() << ": " << fault->text() << '\n';
    return exit_code::usage;
  }
  if (check_only) {
    std::cout << describe(config);
    return exit_code::ok;
  }
  return run(config, app.get_name());
}

} // namespace rookery::nodes
