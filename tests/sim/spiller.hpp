#pragma once

#include "tests/sim/node_host.hpp"
#include "tests/sim/tally.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace rookery::sim {

/// What the bridge promises of overflow::spill: numbers sent from a node that
/// dies now and then, on a disk that fails, through its spill. They arrive in
/// order, and one that finished is not handled again by the same process. What
/// a process took that ended in order arrives, whoever sends it then, unless
/// its loss was told; and where all pass through the file, what was sent 300 ms
/// before its process died.
class spiller : public std::enable_shared_from_this<spiller> {
public:
  spiller(world& outside, std::shared_ptr<node_host> from,
          std::shared_ptr<node_host> to, tally& effects, bool packs)
      : outside_{outside},
        from_{std::move(from)},
        to_{std::move(to)},
        effects_{effects},
        packs_{packs} {}

  static constexpr const char* queue_name = "spilled";
  static constexpr std::uint32_t window = 8;

  /// To be called whenever `to` has started: serves the queue there.
  void serve();
  /// To be called whenever `from` has started: makes what sends.
  void declare();
  /// Begins to send.
  void start(world::clock::duration pace);
  void stop() { running_ = false; }
  /// What was sent so far may be lost: the broker lost what it held.
  void excuse_all() {
    due_.clear();
    excused_ = sent_;
  }
  /// Whether everything due has come.
  [[nodiscard]] bool complete() const;
  /// Fails the run if not.
  void check_complete() const;

  // For the actors.
  /// Whether the bridge, as it was told to `send`, had not stopped.
  [[nodiscard]] bool takes(const std::function<void()>& send) const;
  void took(std::uint64_t number) { due_[number] = {life_, ticks_}; }
  void came(std::uint64_t number, std::uint64_t incarnation);
  void lost(std::uint64_t number);

private:
  void tick();
  void work(world::clock::duration pace);
  void send();

  world& outside_;
  std::shared_ptr<node_host> from_;
  std::shared_ptr<node_host> to_;
  tally& effects_;
  const bool packs_;  // what is sent may share transfers
  caf::actor sender_; // of the present process
  bool running_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t excused_ = 0; // numbers up to this the broker may have lost
  std::uint64_t life_ = 0;    // of the sender's process
  std::uint64_t first_ = 1;   // since the last one that was killed
  std::uint64_t ticks_ = 0;   // of time that it ran
  // Those that must come, and when they were sent.
  struct moment {
    std::uint64_t life;
    std::uint64_t ticks;
  };
  std::map<std::uint64_t, moment> due_;
  std::uint64_t incarnation_ = 0;     // of the sink
  std::set<std::uint64_t> came_here_; // to it
  std::set<std::uint64_t> came_;      // ever
  std::set<std::uint64_t> lost_;      // told, but may be in the file
  std::uint64_t highest_ = 0;         // that came
};

} // namespace rookery::sim
