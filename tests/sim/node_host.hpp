#pragma once

#include "bridge/bridge.hpp"
#include "nodes/config/node_config.hpp"
#include "nodes/node/roles.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/node_loop.hpp"
#include "tests/support/test_system.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace rookery::sim {

/// A node of the service in its simulated process: its own actor system, the
/// real bridge, the real roles, and where it writes, the real store. What it
/// does takes time: a few actors get a turn, then others may come between.
class node_host final : public host,
                        public std::enable_shared_from_this<node_host> {
public:
  /// `shared` holds the stores and may be null for nodes that write none;
  /// `number` names its process there.
  node_host(world& outside, nodes::node_config config,
            std::shared_ptr<network> net, disk* shared, int number);
  ~node_host() override { crash(); }

  /// Called with the bridge and the system whenever the node has started.
  std::function<void(node_host&)> on_start;

  void start();
  /// kill -9: nothing it holds is written or sent any more.
  void crash();
  /// Ends in order, as by SIGTERM, within two seconds.
  void stop();
  [[nodiscard]] bool up() const { return inside_ != nullptr; }
  [[nodiscard]] std::uint64_t incarnation() const { return incarnation_; }

  // While it is up.
  [[nodiscard]] bridge::bridge& transport() { return *inside_->transport; }
  [[nodiscard]] test_system& system() { return inside_->system; }
  [[nodiscard]] std::shared_ptr<wire> line() const {
    return up() && inside_->loop ? inside_->loop->line() : nullptr;
  }
  /// Null when it has no store.
  [[nodiscard]] disk_process* process() {
    return up() && inside_->process ? &*inside_->process : nullptr;
  }

  /// Of all its lives, the present one left out.
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
  [[nodiscard]] std::uint64_t reconnects() const { return reconnects_; }

  /// Dies with the next commit that is durable, before it tells anybody.
  void die_after_commit(bool yes = true) { die_after_commit_ = yes; }
  /// Pauses then instead.
  void pause_after_commit(bool yes = true) { pause_after_commit_ = yes; }
  /// How far its wall clock is ahead of the world's.
  std::chrono::milliseconds clock_error{0};
  /// Each turn of its actors takes so many times longer.
  std::uint64_t slowness = 1;

private:
  struct inside {
    std::optional<disk_process> process;
    test_system system;
    node_loop* loop = nullptr;
    std::unique_ptr<bridge::bridge> transport;
    std::unique_ptr<nodes::roles> roles;
  };

  void after_event() override;
  [[nodiscard]] bridge::environment environment();
  [[nodiscard]] nodes::role_environment role_environment();
  void pass_time();

  nodes::node_config config_;
  std::shared_ptr<network> net_;
  disk* disk_;
  int number_;
  std::unique_ptr<inside> inside_;
  world::clock::time_point told_{}; // what its actors take for now
  std::uint64_t incarnation_ = 0;
  std::uint64_t syncs_ = 0; // seen so far
  std::uint64_t duplicates_ = 0;
  std::uint64_t reconnects_ = 0;
  bool die_after_commit_ = false;
  bool pause_after_commit_ = false;
  bool stepping_ = false; // a turn of actors is due
  bool ending_ = false;
};

} // namespace rookery::sim
