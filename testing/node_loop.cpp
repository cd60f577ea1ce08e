#include "testing/node_loop.hpp"

#include "testing/broker_host.hpp"

#include <utility>

namespace rookery::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto turn_interval = 50ms;
constexpr auto dial_time = 300us;

} // namespace

node_loop::node_loop(std::weak_ptr<host> self, world& outside,
                     std::shared_ptr<uplink> way,
                     const amqp::loop_options& options, amqp::client& client,
                     amqp::loop_owner& owner)
    : self_{std::move(self)},
      outside_{outside},
      way_{std::move(way)},
      options_{options},
      client_{client},
      owner_{owner},
      backoff_{options.reconnect, [this] { return outside_.random(); }} {}

// Runs as the process, if both are still there then.
template <class F>
void node_loop::later(world::clock::duration delay, F f) {
  outside_.after(delay, std::weak_ptr{alive_}, [f](node_loop& x) {
    if (auto who = x.self_.lock())
      who->execute([weak = std::weak_ptr{x.alive_}, f] {
        if (auto alive = weak.lock(); alive && !alive->stopped_)
          f(*alive);
      });
  });
}

void node_loop::start() {
  later(0us, [](node_loop& x) {
    x.connect();
    x.keep_time();
  });
}

void node_loop::wake() {
  if (stopped_ || std::exchange(awake_, true))
    return;
  later(outside_.between(2us, 40us), [](node_loop& x) { x.turn(); });
}

void node_loop::post(std::function<void()> f) {
  posted_.push_back(std::move(f));
  wake();
}

void node_loop::turn() {
  awake_ = false;
  while (!posted_.empty()) {
    auto f = std::move(posted_.front());
    posted_.pop_front();
    f();
  }
  owner_.on_turn();
  client_.flush(outside_.now());
  if (line_)
    line_->pump(wire::client);
}

void node_loop::connect() {
  if (closing_)
    return;
  connecting_ = true;
  if (!way_->reachable)
    return later(options_.open_timeout, [](node_loop& x) {
      x.connecting_ = false;
      x.owner_.on_unreachable("broker: no connection in time");
      x.connect_later();
    });
  later(dial_time, [](node_loop& x) {
    x.connecting_ = false;
    auto broker = x.way_->broker.lock();
    if (x.closing_)
      return;
    if (broker && broker->up())
      return x.connected(broker);
    x.owner_.on_unreachable("broker: Connection refused");
    x.connect_later();
  });
}

void node_loop::connected(const std::shared_ptr<broker_host>& broker) {
  line_ = std::make_shared<wire>(outside_, way_->terms);
  line_->join(wire::client, self_, options_.engine, client_);
  broker->accept(line_);
  client_.connect(line_->engine(wire::client));
  open_by_ = outside_.now() + options_.open_timeout;
  line_->start();
}

void node_loop::connect_later() {
  if (closing_ || connecting_)
    return;
  connecting_ = true;
  later(backoff_.next(), [](node_loop& x) { x.connect(); });
}

void node_loop::keep_time() {
  later(turn_interval, [](node_loop& x) {
    if (x.line_) {
      if (!x.line_->engine(wire::client).opened()
          && x.outside_.now() >= x.open_by_)
        x.line_->engine(wire::client)
            .abort({"rookery:open-timeout", "the broker did not open in time"});
      x.line_->tick(wire::client);
    }
    x.client_.check(x.outside_.now());
    x.turn();
    if (x.client_.up())
      x.backoff_.reset();
    else if (!x.client_.connected()) {
      x.line_ = nullptr;
      x.connect_later();
    }
    x.keep_time();
  });
}

void node_loop::close() {
  closing_ = true;
  if (line_) {
    line_->engine(wire::client).close();
    line_->pump(wire::client);
  }
}

void node_loop::stop() {
  if (std::exchange(stopped_, true))
    return;
  if (line_)
    line_->leave(wire::client);
  line_ = nullptr;
}

} // namespace rookery::testing
