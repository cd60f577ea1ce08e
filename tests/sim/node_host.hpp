#pragma once

#include "bridge/send_options.hpp"
#include "nodes/config/node_config.hpp"
#include "nodes/node/roles.hpp"
#include "testing/node.hpp"
#include "tests/sim/disk.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rookery::sim {

/// The same, in packs if so.
constexpr bridge::send_options packed(bridge::send_options how, bool packs) {
  how.pack = packs;
  return how;
}

using testing::world;

/// A node of the service in its simulated process: besides what every node has,
/// the real roles, and where it writes, the real store.
class node_host final : public testing::node {
public:
  /// Of every bridge here.
  static constexpr std::chrono::seconds reply_timeout{4};

  /// `shared` holds the stores and may be null for nodes that write none;
  /// `number` names its process there.
  node_host(world& outside, nodes::node_config config,
            std::shared_ptr<testing::uplink> way, disk* shared, int number);
  ~node_host() override { crash(); }

  void start() override;
  /// kill -9: nothing it holds is written or sent any more.
  void crash() override;
  /// Ends its faults, and those of its disk.
  void heal();

  /// It owns nothing any more when it heard nothing for so long.
  [[nodiscard]] std::chrono::milliseconds lease() const {
    return config_.idle_timeout;
  }
  /// Null when it has no store.
  [[nodiscard]] disk_process* process() {
    return up() && process_ ? &*process_ : nullptr;
  }

  /// Dies with the next commit that is durable, before it tells anybody; then
  /// calls `dead`.
  void die_after_commit(std::function<void()> dead) {
    die_after_commit_ = std::move(dead);
  }
  /// Pauses then instead.
  void pause_after_commit() { pause_after_commit_ = true; }
  /// Sends that were refused because too many waited for their end; of all its
  /// lives, the present one left out.
  [[nodiscard]] std::uint64_t requests_refused() const {
    return requests_refused_;
  }
  /// Whether that life ended in order, and what its spill had taken is there:
  /// it gave nothing up, or its disk had nothing against it then.
  [[nodiscard]] bool kept_spill(std::uint64_t life) const {
    return kept_ == life;
  }

  /// What is wrong with its disk when it starts.
  disk_faults faults_at_start;
  /// Of its bridge; 0 = the default, which is never reached here.
  std::size_t in_flight_max = 0;
  /// Of its bridge.
  std::uint32_t reply_window = bridge::bridge_options{}.reply_window;
  /// Whether it has a spill, on its disk.
  bool spills = false;
  /// So many messages may be in memory only.
  std::size_t spill_in_memory_max = 0;
  /// How far its wall clock is ahead of the world's.
  std::chrono::milliseconds clock_error{0};

private:
  void launch() override;
  void open_spill(bridge::bridge_options& into);
  void stepped() override;
  void stopped(std::size_t given_up) override;
  [[nodiscard]] std::uint64_t disk_failures() const;
  [[nodiscard]] nodes::role_environment role_environment();
  void forget_plans() {
    die_after_commit_ = nullptr;
    pause_after_commit_ = false;
  }

  nodes::node_config config_;
  disk* disk_;
  int number_;
  std::optional<disk_process> process_; // while it is up
  std::unique_ptr<nodes::roles> roles_; // while it is up
  std::uint64_t syncs_ = 0;             // seen so far
  std::uint64_t disk_failures_ = 0;     // of these, too
  std::uint64_t kept_ = 0;              // the last life that kept its spill
  std::uint64_t requests_refused_ = 0;
  std::string no_spill_; // why it did not open, if so
  std::function<void()> die_after_commit_;
  bool pause_after_commit_ = false;
};

} // namespace rookery::sim
