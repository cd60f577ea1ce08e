#include "tests/sim/node_host.hpp"

#include "nodes/wiring/service_types.hpp"

#include <utility>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

const bridge::type_registry& types() {
  static const auto result = nodes::service_types();
  return result;
}

bridge::bridge_options bridge_options_of(const nodes::node_config& config) {
  bridge::bridge_options result;
  result.node_name = config.node_name;
  result.idle_timeout = config.idle_timeout;
  result.open_timeout = 2s;
  result.reply_timeout = node_host::reply_timeout;
  result.outcome_timeout = 5s;
  result.peer_timeout = 1500ms;
  if (!config.roles.empty()) { // so that they are full at times
    result.send_queue.messages_max = 6;
    result.requests_max = 12;
  }
  return result;
}

} // namespace

node_host::node_host(world& outside, nodes::node_config config,
                     std::shared_ptr<testing::uplink> way, disk* shared,
                     int number)
    : node{outside, types(), bridge_options_of(config), std::move(way)},
      config_{std::move(config)},
      disk_{shared},
      number_{number} {
  on_open = [this](auto& x) {
    if (in_flight_max > 0)
      x.in_flight_max = in_flight_max;
    x.reply_window = reply_window;
    open_spill(x);
  };
}

void node_host::open_spill(bridge::bridge_options& into) {
  no_spill_.clear();
  if (!spills)
    return;
  auto file = bridge::open_spill({.file = "spill",
                                  .messages_in_memory_max = spill_in_memory_max,
                                  .vfs = process_->vfs()});
  into.requests_max = 1'000; // each that waits in it counts
  if (file)
    into.spill = *file;
  else
    no_spill_ = file.error();
}

nodes::role_environment node_host::role_environment() {
  nodes::role_environment result;
  result.detached = false;
  result.wall_clock = [this] { return outside().wall() + clock_error; };
  result.steady_clock = [this] { return outside().now(); };
  result.random = [this] { return outside().random(); };
  result.database.busy_timeout = 3ms;
  if (process_)
    result.database.vfs = process_->vfs();
  return result;
}

void node_host::start() {
  if (up())
    return;
  forget_plans();
  syncs_ = disk_failures_ = 0;
  if (disk_ != nullptr) {
    process_.emplace(disk_->start(number_));
    process_->faults() = faults_at_start;
  }
  node::start();
}

void node_host::launch() {
  roles_ = std::make_unique<nodes::roles>(system(), network(), config_, false,
                                          role_environment());
  auto why = no_spill_.empty() ? roles_->open() : no_spill_;
  if (!why.empty()) {
    // As a supervisor does: the store may be better in a while.
    outside().note(name(), "cannot start: " + why);
    crash();
    return start_after(200ms);
  }
  nodes::layout service{config_.shards, config_.tweet_partitions};
  network().declare(nodes::layout_agreement(service));
  for (auto& what : roles_->store_agreements())
    network().declare(what);
  for (auto& what : nodes::topology(service, config_.shard_queue_length_max))
    network().declare(what);
  roles_->serve();
  node::launch();
}

void node_host::crash() {
  if (!up())
    return;
  forget_plans(); // it dies now
  requests_refused_ += network().counters().too_many_requests;
  auto gone = end(true);
  if (process_ && !process_->killed())
    process_->kill();
  gone->network.reset();
  if (roles_)
    roles_->stop();
  gone->actors.run();
  roles_.reset();
  gone.reset(); // its actors end before their disk
  process_.reset();
}

void node_host::heal() {
  forget_plans();
  node::heal();
  faults_at_start = {};
  if (auto* x = process())
    x->faults() = {};
}

std::uint64_t node_host::disk_failures() const {
  return process_->counts().syncs_failed + process_->counts().writes_refused;
}

void node_host::stopped(std::size_t given_up) {
  if (!spills || process_->killed())
    return;
  // In this step nothing else was written.
  if (given_up == 0 || disk_failures() == disk_failures_)
    kept_ = incarnation();
}

void node_host::stepped() {
  auto* x = process();
  if (x != nullptr)
    disk_failures_ = disk_failures();
  if (x == nullptr || x->counts().syncs == syncs_)
    return;
  syncs_ = x->counts().syncs;
  if (const auto dead = std::exchange(die_after_commit_, nullptr)) {
    outside().note(name(), "dies after a commit");
    crash();
    return dead();
  }
  if (std::exchange(pause_after_commit_, false)) {
    outside().note(name(), "pauses after a commit");
    pause();
  }
}

} // namespace rookery::sim
