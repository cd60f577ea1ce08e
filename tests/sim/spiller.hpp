#pragma once

#include "tests/sim/node_host.hpp"
#include "tests/sim/tally.hpp"

#include <caf/actor.hpp>
#include <caf/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace rookery::sim {

/// What the bridge promises of overflow::spill: numbers sent from a node that
/// dies now and then, on a disk that fails, through its spill, to a queue and
/// to an exchange. To each they arrive in order, and one that finished is not
/// handled again by the same process. What a process took that ended in order
/// arrives, whoever sends it then, unless its loss was told; and where all pass
/// through the file, what was sent 300 ms before its process died. Some are
/// brief: they may be missing, but nobody is told that one expired before it
/// was sent and gets it nevertheless. Some are long: they have many frames
/// where those are short, and connections are cut within their transfers. Who
/// waits for room hears of it.
class spiller : public std::enable_shared_from_this<spiller> {
public:
  spiller(world& outside, std::shared_ptr<node_host> from,
          std::shared_ptr<node_host> to, tally& effects, bool packs);

  /// Where they go: to a queue, or to an exchange that has one.
  enum lane : std::size_t { direct, bound };
  /// Whether it is one of the queues that this serves.
  [[nodiscard]] static bool serves(const std::string& queue);
  static constexpr std::uint32_t window = 8;

  /// To be called whenever `to` has started: serves the queues there.
  void serve();
  /// To be called whenever `from` has started: makes what sends.
  void declare();
  /// Begins to send.
  void start(world::clock::duration pace);
  void stop() { running_ = false; }
  /// From now on nothing delays bytes on their way: what is brief may not be
  /// handled when its time is over.
  void be_strict() { strict_ = true; }
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
  [[nodiscard]] bool is_brief(std::uint64_t number) const;
  /// Whether the bridge, as it was told to `send`, had not stopped.
  [[nodiscard]] bool takes(const std::function<void()>& send) const;
  /// The present process has it.
  void took(lane to, std::uint64_t number);
  void came(lane to, std::uint64_t number, const std::string& text,
            std::uint64_t incarnation);
  void lost(std::uint64_t number, const caf::error& why);
  void ready(lane to) { waits_.erase(to); }

private:
  void tick();
  void work(world::clock::duration pace);
  void send();
  void cut_under_way(int looks);
  [[nodiscard]] std::string text_of(std::uint64_t number) const;

  world& outside_;
  std::shared_ptr<node_host> from_;
  std::shared_ptr<node_host> to_;
  tally& effects_;
  const bool packs_;       // what is sent may share transfers
  const bool briefs_;      // some are worth nothing in a moment
  const bool both_;        // lanes are used, not only the direct one
  const std::size_t long_; // bytes in some
  caf::actor sender_;      // of the present process
  bool running_ = false;
  bool strict_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t excused_ = 0; // numbers up to this the broker may have lost
  std::uint64_t life_ = 0;    // of the sender's process
  std::uint64_t first_ = 1;   // since the last one that was killed
  std::uint64_t ticks_ = 0;   // of time that it ran
  struct moment {
    std::uint64_t life;
    std::uint64_t ticks;
    world::clock::time_point time;
    std::uint64_t set_back; // the calendar, so often
  };
  std::map<std::uint64_t, moment> taken_;  // when each was
  std::set<std::uint64_t> due_;            // those that must come
  std::set<lane> waits_;                   // for room
  std::uint64_t incarnation_ = 0;          // of the sink
  std::set<std::uint64_t> came_here_;      // to it
  std::set<std::uint64_t> came_;           // ever
  std::set<std::uint64_t> lost_;           // told, but may be in the file
  std::set<std::uint64_t> unsent_;         // of those, told to be sent never
  std::array<std::uint64_t, 2> highest_{}; // that came to each lane
};

} // namespace rookery::sim
