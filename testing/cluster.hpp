#pragma once

#include "testing/broker_host.hpp"
#include "testing/node.hpp"
#include "testing/world.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rookery::testing {

/// A cluster in one thread and in virtual time: nodes with actor systems and
/// bridges of their own, one embedded broker, and connections that can fail.
/// The code under test is what runs in production; only sockets, threads and
/// clocks are replaced. One seed is one run, whatever ran before.
///
///     testing::cluster c{seed};
///     c.messages<Job, Result>();
///     auto& anna = c.add_node("anna", [](testing::node& self) {
///       self.serve("jobs", [&self] { return self.system().spawn(worker); });
///     });
///     c.after(2s, [&] { anna.cut(); });
///     require(c.run_until([&] { return all_done(); }, 60s));
///
/// With ROOKERY_TRACE in the environment it prints what happens to stderr.
/// @thread one
class cluster {
public:
  using duration = world::clock::duration;

  /// The broker is up, there are no nodes, and nothing has happened.
  explicit cluster(std::uint64_t seed, broker::broker_options options = {});
  ~cluster();
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  /// The Protobuf messages that nodes speak which are added from now on.
  template <protobuf_message... Ts>
  cluster& messages() {
    (types_.add<Ts>(), ...);
    return *this;
  }

  /// A node, whose process starts at once. `on_start` gives it its actors, now
  /// and after each crash; what it captures must outlive the cluster.
  /// @returns it; lives as long as the cluster
  node& add_node(const std::string& name,
                 std::function<void(node&)> on_start = {},
                 bridge::bridge_options options = {});

  /// Keeps nothing when it crashes or stops.
  [[nodiscard]] broker_host& broker() { return *broker_; }
  /// Time, chance, and the record of what happened.
  [[nodiscard]] world& outside() { return outside_; }

  /// Lets things happen until `done`, looked at after each, or until `timeout`
  /// of virtual time has passed. @returns whether it is done
  /// @throws what a test_system, a hook or an event throws
  [[nodiscard]] bool run_until(const std::function<bool()>& done,
                               duration timeout);
  /// Lets `span` pass.
  void run(duration span);

  /// Makes something happen while it runs. Faults belong here, not into
  /// handlers: an actor cannot crash the process it runs in.
  void after(duration delay, std::function<void()> what) {
    outside_.after(delay, std::move(what));
  }
  /// The same at a moment within `span` that the seed chooses.
  void sometime(duration span, std::function<void()> what);

  /// Ends every fault: what is down starts, what is paused wakes, and bytes
  /// arrive again.
  void heal();

private:
  world outside_;
  bridge::type_registry types_;
  std::shared_ptr<broker_host> broker_;
  std::vector<std::shared_ptr<node>> nodes_;
};

} // namespace rookery::testing
