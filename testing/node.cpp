#include "testing/node.hpp"

#include "testing/node_worker.hpp"

#include <utility>

namespace rookery::testing {

namespace {

using namespace std::chrono_literals;

// Turns of actors before others come between.
constexpr std::size_t turns_max = 6;
constexpr auto stop_timeout = 2s;

} // namespace

node::node(world& outside, bridge::type_registry types,
           bridge::bridge_options options, std::shared_ptr<uplink> way)
    : host{outside, options.node_name},
      types_{std::move(types)},
      options_{std::move(options)},
      way_{std::move(way)} {}

bridge::environment node::environment() {
  return {[this] { return outside().now(); },
          [this] { return outside().wall(); },
          [this] { return outside().random(); },
          [this](const amqp::loop_options& options, amqp::client& client,
                 amqp::loop_owner& owner) {
            auto result = std::make_unique<node_loop>(
                weak_from_this(), outside(), way_, options, client, owner);
            inside_->loop = result.get();
            return result;
          },
          [this] {
            return std::make_unique<node_worker>(weak_from_this(), outside());
          }};
}

void node::start() {
  if (up())
    return;
  ++incarnation_;
  outside().note(name(), "start", incarnation_);
  inside_ = std::make_unique<inside>();
  told_ = outside().now();
  stepping_ = ending_ = false;
  auto options = options_;
  if (on_open)
    on_open(options);
  inside_->network = std::make_unique<bridge::bridge>(
      system(), types_, std::move(options), nullptr, environment());
  launch();
}

void node::launch() {
  if (on_start)
    on_start(*this);
}

std::unique_ptr<node::inside> node::end(bool wakes) {
  outside().note(name(), "crash", incarnation_);
  if (wakes)
    resume();
  discard();
  auto gone = std::move(inside_);
  auto counters = gone->network->counters();
  duplicates_ += counters.duplicates;
  reconnects_ += counters.reconnects;
  packed_ += counters.packed;
  returned_ += counters.returned;
  refused_ += counters.refused;
  return gone;
}

void node::crash() {
  if (!up())
    return;
  auto gone = end();
  gone->network.reset();
  gone->actors.kill();
}

void node::stop() {
  if (!up() || std::exchange(ending_, true))
    return;
  outside().note(name(), "stop", incarnation_);
  network().stop(stop_timeout, [this](std::size_t left) {
    outside().note(name(), "stopped", left);
    stopped(left);
    outside().after(0us, weak_from_this(), [n = incarnation_](node& x) {
      if (x.incarnation_ == n)
        x.crash();
    });
  });
}

void node::fail(const std::string& why) {
  outside().note(name(), "fails: " + why);
  stop();
}

void node::start_after(world::clock::duration delay) {
  outside().after(delay, weak_from_this(), [](node& x) { x.start(); });
}

void node::cut() {
  auto x = line();
  if (!x)
    return;
  outside().note(name(), "cut", x->bytes_under_way());
  x->cut();
}

void node::silence(wire::side to) {
  auto x = line();
  if (!x)
    return;
  outside().note(name(), "silence");
  x->silence(to);
}

void node::heal() {
  way_->reachable = true;
  slowness = 1;
  if (paused())
    resume();
  if (!up())
    return start();
  if (ending_)
    start_after(stop_timeout + 1s);
  if (auto x = line())
    x->heal();
}

void node::serve(const std::string& name, std::function<caf::actor()> make,
                 bridge::serve_options options) {
  network().serve(bridge::address::queue(name), std::move(make),
                  std::move(options));
}

caf::actor node::proxy(const std::string& name) {
  return network().proxy(bridge::address::queue(name));
}

bool node::ready() { return up() && !network().wait_until_up(0ms); }

std::shared_ptr<wire> node::line() const {
  return up() && inside_->loop ? inside_->loop->line() : nullptr;
}

void node::pass_time() {
  if (auto passed = outside().now() - told_; passed.count() > 0)
    inside_->actors.pass_time(passed);
  told_ = outside().now();
}

void node::after_event() {
  if (!up())
    return;
  pass_time();
  auto more = inside_->actors.step(slowness > 1 ? 1 : turns_max);
  stepped();
  if (!up() || !more || std::exchange(stepping_, true))
    return;
  outside().after(outside().between(2us, 60us) * slowness, weak_from_this(),
                  [n = incarnation_](node& x) {
                    x.execute([&x, n] {
                      if (x.incarnation_ == n)
                        x.stepping_ = false;
                    });
                  });
}

} // namespace rookery::testing
