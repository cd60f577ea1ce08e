#include "nodes/program/node.hpp"

#include "bridge/assert.hpp"
#include "bridge/system_config.hpp"
#include "nodes/config/node_config.hpp"
#include "nodes/program/broker_thread.hpp"
#include "nodes/program/node_flags.hpp"
#include "nodes/program/node_log.hpp"
#include "nodes/program/stop_signal.hpp"

#include <exception>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace rookery {

namespace {

using nodes::severity;
using std::chrono::milliseconds;

std::string names_of(const std::vector<std::string>& all) {
  std::string result;
  for (const auto& each : all)
    result.append(result.empty() ? "" : ",").append(each);
  return result.empty() ? "-" : result;
}

} // namespace

struct node::impl {
  explicit impl(node& owner) : self{owner} {}

  int run(const node_flags& flags, const std::string& program);
  std::string start(const node_flags& flags);
  std::string wait_until_up(milliseconds timeout);
  std::size_t stop(milliseconds timeout);

  node& self;
  bridge::type_registry types;
  std::map<std::string, starter> roles;
  std::map<std::string, std::string> about;
  std::vector<std::function<void(bridge::bridge_options&)>> changes;

  std::mutex failure_mutex; // guards failure
  std::optional<std::string> failure;

  // While it runs, and gone in the opposite order.
  std::unique_ptr<nodes::stop_signal> signal;
  std::string name;
  std::shared_ptr<nodes::node_log> log;
  std::unique_ptr<nodes::broker_thread> broker;
  bridge::system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<bridge::bridge> network;
};

int node::impl::run(const node_flags& flags, const std::string& program) {
  name = flags.name;
  log = std::make_shared<nodes::node_log>(flags.log_level, flags.name);
  signal = std::make_unique<nodes::stop_signal>(
      flags.stop_timeout, [this](const char* why) {
        log->write(severity::error, "killed", {{"why", why}});
      });
  log->write(severity::info, "starting", {{"roles", names_of(flags.roles)}});
  auto why = start(flags);
  const auto started = why.empty();
  if (started) {
    if (!signal->stopping())
      log->write(severity::info, "ready",
                 {{"roles", names_of(flags.roles)},
                  {"listens", broker ? to_string(broker->listens()) : "-"}});
    signal->wait();
    log->write(severity::info, "stopping");
  }
  {
    // Before it stops, which makes requests fail.
    std::lock_guard guard{failure_mutex};
    if (failure)
      why = *failure;
  }
  const auto left =
      stop(started ? flags.stop_timeout * 9 / 10 : milliseconds{0});
  log->write(severity::info, "stopped", {{"given_up", std::to_string(left)}});
  signal.reset(); // it stopped in time
  if (why.empty())
    return 0;
  std::cerr << program << ": " << why << std::endl;
  return 1;
}

/// @returns why not
std::string node::impl::start(const node_flags& flags) {
  bridge::bridge_options options;
  options.node_name = flags.name;
  options.user = flags.user;
  options.password = flags.password;
  if (flags.listen) {
    auto started = nodes::broker_thread::start(*flags.listen, *log);
    if (!started)
      return started.error();
    broker = std::move(*started);
    options.brokers = {broker->reachable()};
  }
  if (!flags.brokers.empty())
    options.brokers = flags.brokers;
  for (const auto& change : changes)
    change(options);
  system = std::make_unique<caf::actor_system>(config);
  network = std::make_unique<bridge::bridge>(*system, types, options, log);
  for (const auto& each : std::set(flags.roles.begin(), flags.roles.end())) {
    try {
      roles.at(each)(self);
    } catch (const std::exception& x) {
      return "role " + each + ": " + x.what();
    }
  }
  return wait_until_up(flags.connect_timeout);
}

std::string node::impl::wait_until_up(milliseconds timeout) {
  using clock = std::chrono::steady_clock;
  constexpr milliseconds look{100};
  const auto deadline = clock::now() + timeout;
  for (;;) {
    const auto error = network->wait_until_up(look);
    if (!error || signal->stopping())
      return {};
    if (error != bridge::errc::unreachable || clock::now() >= deadline)
      return system->render(error);
  }
}

std::size_t node::impl::stop(milliseconds timeout) {
  const auto left = network ? network->stop(timeout * 3 / 4) : 0;
  network.reset(); // first, or it would take the end of actors for a failure
  if (system)      // of actors that are nobody's now
    system->await_actors_before_shutdown(false);
  system.reset(); // while a signal can still end what hangs
  if (broker)
    broker->stop(timeout / 4);
  broker.reset();
  return left;
}

node::node() : impl_{std::make_unique<impl>(*this)} {}

node::~node() = default;

bridge::type_registry& node::types() { return impl_->types; }

node& node::role(std::string name, starter start, std::string about) {
  impl_->about[name] = std::move(about);
  impl_->roles[std::move(name)] = std::move(start);
  return *this;
}

node& node::configure(std::function<void(bridge::bridge_options&)> change) {
  impl_->changes.push_back(std::move(change));
  return *this;
}

int node::run(int argc, const char* const* argv) {
  const auto flags = parse_flags(argc, argv, impl_->about);
  if (!flags)
    return flags.error();
  return impl_->run(*flags, argv[0]);
}

const std::string& node::name() const { return impl_->name; }

caf::actor_system& node::system() {
  ROOKERY_ASSERT(impl_->system);
  return *impl_->system;
}

bridge::bridge& node::network() {
  ROOKERY_ASSERT(impl_->network);
  return *impl_->network;
}

void node::serve(const std::string& name, std::function<caf::actor()> make,
                 bridge::serve_options options) {
  network().serve(bridge::address::queue(name), std::move(make),
                  std::move(options));
}

caf::actor node::proxy(const std::string& name) {
  return network().proxy(bridge::address::queue(name));
}

void node::stop() { impl_->signal->ask(); }

void node::fail(const std::string& why) {
  {
    std::lock_guard guard{impl_->failure_mutex};
    if (impl_->failure || impl_->signal->stopping())
      return;
    impl_->failure = why;
  }
  impl_->log->write(severity::error, "failed", {{"why", why}});
  stop();
}

} // namespace rookery
