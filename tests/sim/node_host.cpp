#include "tests/sim/node_host.hpp"

#include "nodes/wiring/service_types.hpp"

#include <utility>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// Turns of actors before others come between.
constexpr std::size_t turns_max = 6;

const bridge::type_registry& types() {
  static const auto result = nodes::service_types();
  return result;
}

} // namespace

node_host::node_host(world& outside, nodes::node_config config,
                     std::shared_ptr<network> net, disk* shared, int number)
    : host{outside, config.node_name},
      config_{std::move(config)},
      net_{std::move(net)},
      disk_{shared},
      number_{number} {}

bridge::environment node_host::environment() {
  return {[this] { return outside().now(); },
          [this] { return outside().random(); },
          [this](const amqp::loop_options& options, amqp::client& client,
                 amqp::loop_owner& owner) {
            auto result = std::make_unique<node_loop>(
                weak_from_this(), outside(), net_, options, client, owner);
            inside_->loop = result.get();
            return result;
          }};
}

nodes::role_environment node_host::role_environment() {
  nodes::role_environment result;
  result.detached = false;
  result.wall_clock = [this] { return outside().wall() + clock_error; };
  result.moment = [this] {
    auto wall = (outside().wall() + clock_error).time_since_epoch();
    return actors::moment{
        outside().now(),
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(wall)
                .count())};
  };
  result.random = [this] { return outside().random(); };
  result.database.busy_timeout = 3ms;
  if (inside_->process)
    result.database.vfs = inside_->process->vfs();
  return result;
}

void node_host::start() {
  ++incarnation_;
  outside().note(name(), "start", incarnation_);
  inside_ = std::make_unique<inside>();
  told_ = outside().now();
  stepping_ = ending_ = die_after_commit_ = pause_after_commit_ = false;
  syncs_ = 0;
  if (disk_ != nullptr)
    inside_->process.emplace(disk_->start(number_));
  bridge::bridge_options options;
  options.node_name = config_.node_name;
  options.idle_timeout = config_.idle_timeout;
  options.open_timeout = 2s;
  options.reply_timeout = 4s;
  options.outcome_timeout = 5s;
  if (!config_.roles.empty())
    options.send_queue.messages_max = 6; // so that it is full at times
  inside_->transport = std::make_unique<bridge::bridge>(
      inside_->system.system(), types(), options, nullptr, environment());
  nodes::layout service{config_.shards, config_.tweet_partitions};
  for (auto& what : nodes::topology(service, config_.shard_queue_length_max))
    inside_->transport->declare(what);
  inside_->roles = std::make_unique<nodes::roles>(inside_->system.system(),
                                                  *inside_->transport, config_,
                                                  false, role_environment());
  if (auto why = inside_->roles->start(); !why.empty()) {
    // As a supervisor does: the store may be better in a while.
    outside().note(name(), "cannot start: " + why);
    crash();
    outside().after(200ms, weak_from_this(), [](node_host& x) {
      if (!x.up())
        x.start();
    });
    return;
  }
  if (on_start)
    on_start(*this);
}

void node_host::crash() {
  if (!inside_)
    return;
  outside().note(name(), "crash", incarnation_);
  die_after_commit_ = pause_after_commit_ = false; // it dies now
  resume(); // nothing that waited for it finds it
  auto gone = std::move(inside_);
  if (gone->transport) {
    auto counters = gone->transport->counters();
    duplicates_ += counters.duplicates;
    reconnects_ += counters.reconnects;
  }
  if (gone->process && !gone->process->killed())
    gone->process->kill();
  gone->transport.reset();
  if (gone->roles)
    gone->roles->stop();
  gone->system.run();
}

void node_host::stop() {
  if (!inside_ || std::exchange(ending_, true))
    return;
  outside().note(name(), "stop", incarnation_);
  transport().stop(2s, [this](std::size_t left) {
    outside().note(name(), "stopped", left);
    outside().after(0us, weak_from_this(), [n = incarnation_](node_host& x) {
      if (x.incarnation_ == n)
        x.crash();
    });
  });
}

void node_host::pass_time() {
  if (auto passed = outside().now() - told_; passed.count() > 0)
    inside_->system.pass_time(passed);
  told_ = outside().now();
}

void node_host::after_event() {
  if (!inside_)
    return;
  pass_time();
  auto more = inside_->system.step(slowness > 1 ? 1 : turns_max);
  if (auto* x = process(); x != nullptr && x->counts().syncs != syncs_) {
    syncs_ = x->counts().syncs;
    if (std::exchange(die_after_commit_, false)) {
      outside().note(name(), "dies after a commit");
      return crash();
    }
    if (std::exchange(pause_after_commit_, false)) {
      outside().note(name(), "pauses after a commit");
      pause();
    }
  }
  if (!more || std::exchange(stepping_, true))
    return;
  outside().after(outside().between(2us, 60us) * slowness, weak_from_this(),
                  [n = incarnation_](node_host& x) {
                    x.execute([&x, n] {
                      if (x.incarnation_ == n)
                        x.stepping_ = false;
                    });
                  });
}

} // namespace rookery::sim
