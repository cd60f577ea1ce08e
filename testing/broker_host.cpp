#include "testing/broker_host.hpp"

#include <algorithm>
#include <utility>

namespace rookery::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 200ms;
constexpr auto stop_time = 100ms;

} // namespace

void broker_host::start() {
  if (up())
    return;
  ++incarnation_;
  ending_ = false;
  auto options = options_;
  options.host.time = {[this] { return outside().now(); },
                       [this] { return outside().wall(); }};
  shared_ = std::make_unique<broker::dispatcher>(
      options, sink_, std::to_string(incarnation_), [this] { turn_soon(); },
      [this](broker::time_point when) { turn_at(when); });
  outside().note(name(), "up", incarnation_);
  keep_time(incarnation_);
}

void broker_host::turn_soon() {
  outside().after(2us, weak_from_this(),
                  [incarnation = incarnation_](broker_host& self) {
                    self.execute([&self, incarnation] {
                      if (self.shared_ && self.incarnation_ == incarnation)
                        self.shared_->run();
                    });
                  });
}

void broker_host::turn_at(broker::time_point when) {
  if (when == broker::never)
    return;
  outside().after(std::max(when - outside().now(), world::clock::duration{}),
                  weak_from_this(),
                  [incarnation = incarnation_](broker_host& self) {
                    if (self.shared_ && self.incarnation_ == incarnation)
                      self.shared_->wake();
                  });
}

void broker_host::keep_time(std::uint64_t incarnation) {
  outside().after(tick_interval, weak_from_this(),
                  [incarnation](broker_host& self) {
                    if (!self.shared_ || self.incarnation_ != incarnation)
                      return;
                    self.execute([&self] {
                      std::vector<std::shared_ptr<wire>> lines;
                      for (auto& [id, x] : self.clients_)
                        lines.push_back(x->line);
                      for (auto& x : lines)
                        x->tick(wire::server);
                    });
                    self.keep_time(incarnation);
                  });
}

void broker_host::accept(const std::shared_ptr<wire>& x) {
  auto id = ++last_id_;
  auto& fresh = *(clients_[id] = std::make_unique<client>());
  fresh.line = x;
  fresh.handler = std::make_unique<broker::connection>(*shared_, id, fresh);
  fresh.handler->on_gone = [this, id] {
    // Not now: its engine is still on the stack.
    outside().after(0us, weak_from_this(), [id](broker_host& self) {
      if (auto found = self.clients_.find(id); found != self.clients_.end()) {
        found->second->line->leave(wire::server);
        self.clients_.erase(found);
      }
    });
  };
  amqp::engine_options options;
  options.container_id = "rookery-broker";
  options.message_bytes_max = shared_->options.message_bytes_max;
  options.idle_timeout = idle_timeout;
  options.offered_capabilities = {"LINK_PAIR_V1_0", "ANONYMOUS-RELAY"};
  x->join(wire::server, weak_from_this(), options, *fresh.handler);
  fresh.handler->bind(x->engine(wire::server));
}

void broker_host::crash() {
  if (!shared_)
    return;
  outside().note(name(), "crash", held());
  discard();
  for (auto& [id, x] : clients_)
    x->line->leave(wire::server);
  // Connections tell the dispatcher that they go, so they go first.
  clients_.clear();
  shared_.reset();
  gone_at_ = outside().now();
}

void broker_host::stop() {
  if (!shared_ || std::exchange(ending_, true))
    return;
  outside().note(name(), "stop", held());
  for (auto& [id, x] : clients_)
    x->handler->close({"amqp:connection:forced", "the broker stops"});
  outside().after(stop_time, weak_from_this(),
                  [incarnation = incarnation_](broker_host& self) {
                    if (self.incarnation_ == incarnation)
                      self.crash();
                  });
}

void broker_host::heal() {
  if (paused())
    resume();
  if (!up())
    start();
  else if (ending_)
    outside().after(stop_time, weak_from_this(),
                    [](broker_host& self) { self.start(); });
}

std::uint64_t broker_host::held() const {
  std::uint64_t result = 0;
  if (shared_)
    shared_->host.each_queue([&](const broker::queue& x) {
      auto counts = x.counts();
      result += counts.ready + counts.unsettled;
    });
  return result;
}

} // namespace rookery::testing
