#include "nodes/node/node.hpp"

#include "nodes/client/error_text.hpp"
#include "nodes/wiring/service_types.hpp"

#include <cstdlib>
#include <string_view>

namespace rookery::nodes {

namespace {

using clock = std::chrono::steady_clock;

bool wants_drop_one() {
  auto value = std::getenv("ROOKERY_DROP_ONE");
  return value != nullptr && std::string_view{value} == "1";
}

std::chrono::milliseconds until(clock::time_point deadline) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - clock::now());
  return std::max(left, std::chrono::milliseconds{0});
}

} // namespace

node::node(node_config config, std::shared_ptr<node_log> watcher)
    : config_(std::move(config)),
      log_(std::move(watcher)) {}

node::~node() { bridge_.reset(); } // before what its actors are made by

std::optional<std::string> node::start(const std::function<bool()>& cancelled) {
  if (config_.has(role::broker)) {
    auto started = broker_thread::start(config_.listen, *log_);
    if (!started)
      return started.error();
    broker_ = std::move(*started);
    if (config_.brokers.empty())
      config_.brokers = {broker_->reachable()};
    if (config_.roles.size() == 1)
      return std::nullopt;
  }
  if (config_.threads > 0)
    system_config_.set("scheduler.max-threads",
                       static_cast<std::size_t>(config_.threads));
  system_ = std::make_unique<caf::actor_system>(system_config_);
  bridge_ = std::make_unique<bridge::bridge>(*system_, service_types(),
                                             bridge_options(), log_);
  auto drop_one = wants_drop_one();
  if (drop_one && config_.has(role::fanout))
    log_->write(severity::warning, "drop-one",
                {{"text", "ROOKERY_DROP_ONE=1: timelines will be wrong"}});
  role_environment world;
  world.database.on_woken = [log = log_](int process) {
    log->write(severity::warning, "store-writer-woken",
               {{"text", "it was stopped in a transaction"},
                {"pid", std::to_string(process)}});
  };
  world.on_owned = [log = log_](const std::string& name) {
    log->write(severity::info, "owned", {{"log", name}});
  };
  world.on_ids_ahead = [log = log_](const std::string& name,
                                    std::chrono::seconds ahead) {
    log->write(severity::warning, "ids-ahead",
               {{"text", "a clock was wrong: new tweets stand above others"},
                {"log", name},
                {"seconds", std::to_string(ahead.count())}});
  };
  roles_ = std::make_unique<roles>(*system_, *bridge_, config_, drop_one,
                                   std::move(world));
  if (auto why = roles_->open_existing(); !why.empty())
    return why;
  const auto deadline = clock::now() + config_.connect_timeout;
  layout service{config_.shards, config_.tweet_partitions};
  bridge_->declare(layout_agreement(service));
  if (auto why = wait_for_broker(deadline, cancelled); why || cancelled())
    return why;
  if (auto why = roles_->open(); !why.empty())
    return why;
  for (auto& what : roles_->store_agreements()) {
    bridge_->declare(what);
    if (auto why = wait_for_broker(deadline, cancelled); why || cancelled())
      return why;
  }
  for (auto& what : topology(service, config_.shard_queue_length_max))
    bridge_->declare(what);
  roles_->serve();
  return wait_for_broker(deadline, cancelled);
}

std::optional<bridge::endpoint> node::listens() const {
  return broker_ ? std::optional{broker_->listens()} : std::nullopt;
}

bool node::attached() const { return !bridge_ || bridge_->lease_held(); }

std::size_t node::stop(std::chrono::milliseconds timeout) {
  auto deadline = clock::now() + timeout;
  // Some of the time must be left for the broker, which may have to cut off
  // clients that do not answer.
  auto left = bridge_ ? bridge_->stop(timeout * 3 / 4) : 0;
  bridge_.reset(); // first, or it would take the end of actors for a failure
  if (roles_)
    roles_->stop();
  if (broker_)
    broker_->stop(until(deadline) / 2);
  return left;
}

bridge::bridge_options node::bridge_options() const {
  bridge::bridge_options result;
  result.node_name = config_.node_name;
  result.brokers = config_.brokers;
  result.user = config_.user;
  result.password = config_.password;
  result.idle_timeout = config_.idle_timeout;
  return result;
}

std::optional<std::string>
node::wait_for_broker(clock::time_point deadline,
                      const std::function<bool()>& cancelled) {
  constexpr std::chrono::milliseconds look{100};
  for (;;) {
    auto why = bridge_->wait_until_up(std::min(look, until(deadline)));
    if (!why || cancelled())
      return std::nullopt;
    if (why != bridge::errc::unreachable || clock::now() >= deadline) {
      std::string names;
      for (auto& x : config_.brokers)
        names.append(names.empty() ? "" : ", ").append(to_string(x));
      const auto text = error_text(why);
      return "broker " + names + ": " + text + hint_for(text);
    }
  }
}

} // namespace rookery::nodes
