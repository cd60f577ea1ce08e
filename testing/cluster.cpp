#include "testing/cluster.hpp"

#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace rookery::testing {

cluster::cluster(std::uint64_t seed, broker::broker_options options)
    : outside_{seed, std::getenv("ROOKERY_TRACE") != nullptr},
      broker_{std::make_shared<broker_host>(outside_, std::move(options))} {
  broker_->start();
}

cluster::~cluster() {
  // Events that are still to come hold some of them, and the world goes first.
  for (auto& x : nodes_)
    x->crash();
  broker_->crash();
}

node& cluster::add_node(const std::string& name,
                        std::function<void(node&)> on_start,
                        bridge::bridge_options options) {
  auto way = std::make_shared<uplink>();
  way->broker = broker_;
  options.node_name = name;
  auto result =
      std::make_shared<node>(outside_, types_, std::move(options), way);
  result->on_start = std::move(on_start);
  nodes_.push_back(result);
  result->start();
  return *result;
}

bool cluster::run_until(const std::function<bool()>& done, duration timeout) {
  auto result = done() || outside_.run(timeout, done);
  if (!outside_.failure().empty())
    throw std::runtime_error{outside_.failure()};
  return result;
}

void cluster::run(duration span) {
  (void)run_until([] { return false; }, span);
}

void cluster::sometime(duration span, std::function<void()> what) {
  after(outside_.between({}, span), std::move(what));
}

void cluster::heal() {
  outside_.note("world", "heals");
  broker_->heal();
  for (auto& x : nodes_)
    x->heal();
}

} // namespace rookery::testing
