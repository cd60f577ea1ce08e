#pragma once

#include "bridge/amqp/loop.hpp"
#include "bridge/core/backoff.hpp"
#include "testing/wire.hpp"

#include <deque>
#include <functional>
#include <memory>

namespace rookery::testing {

class broker_host;

/// Where a node finds the broker, and what the way there does to bytes.
struct uplink {
  std::weak_ptr<broker_host> broker;
  wire_terms terms;
  bool reachable = true; // else nothing answers and nobody says why
};

/// The loop of a bridge in a simulated process: as amqp::io_loop is, with a
/// wire for the socket and virtual time for the clock.
class node_loop final : public amqp::loop {
public:
  node_loop(std::weak_ptr<host> self, world& outside,
            std::shared_ptr<uplink> way, const amqp::loop_options& options,
            amqp::client& client, amqp::loop_owner& owner);
  ~node_loop() override { stop(); }

  void start() override;
  void wake() override;
  void post(std::function<void()> f) override;
  void close() override;
  void stop() override;

  /// The connection, null while there is none.
  [[nodiscard]] std::shared_ptr<wire> line() const { return line_; }

private:
  void connect();
  void connect_later();
  void connected(const std::shared_ptr<broker_host>& broker);
  void turn();
  void keep_time();
  template <class F>
  void later(world::clock::duration delay, F f);

  std::weak_ptr<host> self_;
  world& outside_;
  std::shared_ptr<uplink> way_;
  amqp::loop_options options_;
  amqp::client& client_;
  amqp::loop_owner& owner_;
  bridge::backoff backoff_;
  std::shared_ptr<wire> line_;
  std::deque<std::function<void()>> posted_;
  bool awake_ = false;      // a turn is due
  bool connecting_ = false; // an attempt or a backoff is under way
  bool closing_ = false;
  bool stopped_ = false;
  world::clock::time_point open_by_{};
  // Tells events that it is still there; owns nothing.
  std::shared_ptr<node_loop> alive_{this, [](node_loop*) {}};
};

} // namespace rookery::testing
