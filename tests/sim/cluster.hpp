#pragma once

#include "testing/broker_host.hpp"
#include "tests/sim/clients.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/gauge.hpp"
#include "tests/sim/node_host.hpp"
#include "tests/sim/owners.hpp"
#include "tests/sim/probe.hpp"
#include "tests/sim/spiller.hpp"
#include "tests/sim/tally.hpp"
#include "tests/sim/vigil.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rookery::sim {

/// A whole service: a broker, two writers on one disk, two nodes of shards,
/// and a node of clients, each with its own way to the broker.
struct cluster {
  cluster(world& outside, std::uint64_t seed);

  ~cluster();
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  void start();
  /// Everything dies at once and comes back.
  void restart_everything();
  /// The broker loses what it holds: what was sent so far need not come.
  void excuse_all();
  /// Ends every fault: what is down starts, what is paused wakes, and bytes
  /// arrive again.
  void heal();
  /// The credit that a consumer of this queue has when nothing is under way.
  [[nodiscard]] std::uint32_t window_of(const std::string& queue) const;

  world& outside;
  tally effects;
  nodes::layout layout{2, 2};
  user_id users = 10;
  std::uint32_t timeline_cap = 0;
  /// After which a connection on which nothing comes is given up, by a node;
  /// the broker waits twice as long.
  std::chrono::milliseconds patience;
  disk storage;
  std::shared_ptr<testing::broker_host> broker;
  /// 0, 1: writers; 2, 3: shards; 4: clients.
  std::vector<std::shared_ptr<node_host>> nodes;
  std::shared_ptr<clients> people;
  std::shared_ptr<probe> numbers;
  std::shared_ptr<vigil> mortals;
  std::shared_ptr<spiller> kept;
  std::shared_ptr<gauge> readings;
  std::shared_ptr<owners> owned;

  static constexpr std::size_t writers = 2;
  static constexpr std::size_t servers = 4; // nodes that may crash
  static constexpr std::size_t mortals_at = 3;

private:
  void add_node(const std::string& name, std::set<nodes::role> roles,
                disk* shared);
};

} // namespace rookery::sim
