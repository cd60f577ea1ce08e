#pragma once

#include "tests/sim/node_host.hpp"
#include "tests/sim/tally.hpp"

#include <caf/actor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

namespace rookery::sim {

/// What the bridge promises of handles that drop: bursts of numbers that find
/// no room in the short send queue of a node that dies now and then. They
/// arrive in order; of overflow::drop_oldest each arrives or is told to be
/// dropped, and never both, and the last one arrives; of drop_newest only what
/// was counted as dropped is missing.
class gauge : public std::enable_shared_from_this<gauge> {
public:
  gauge(world& outside, std::shared_ptr<node_host> from,
        std::shared_ptr<node_host> to, tally& effects, bool packs)
      : outside_{outside},
        from_{std::move(from)},
        to_{std::move(to)},
        effects_{effects},
        packs_{packs} {}

  static constexpr std::uint32_t window = 8;
  /// Whether it is one of the queues that this serves.
  [[nodiscard]] static bool serves(const std::string& queue);

  /// To be called whenever `to` has started: serves the queues there.
  void serve();
  /// To be called whenever `from` has started: makes what sends.
  void declare();
  /// Begins to send.
  void start(world::clock::duration pace);
  void stop() { running_ = false; }
  /// What was sent so far may be lost: the broker lost what it held.
  void excuse_all();
  /// Whether everything due has come.
  [[nodiscard]] bool complete() const { return missing().empty(); }
  /// Fails the run if not.
  void check_complete() const;

  /// Which of the two dropping policies.
  enum policy : std::size_t { oldest, newest };

  // For the actors.
  void came(policy how, std::uint64_t number, std::uint64_t incarnation);
  void lost(std::uint64_t number, bool dropped);

private:
  struct series {
    std::uint64_t highest = 0;         // of the present sender, that came
    std::set<std::uint64_t> came;      // ever
    std::set<std::uint64_t> came_here; // to the present sink
  };

  void work(world::clock::duration pace);
  void send();
  [[nodiscard]] std::string missing() const;

  world& outside_;
  std::shared_ptr<node_host> from_;
  std::shared_ptr<node_host> to_;
  tally& effects_;
  const bool packs_;  // what is sent may share transfers
  caf::actor sender_; // of the present process
  bool running_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t first_ = 1;        // of the present sender
  std::uint64_t excused_ = 0;      // numbers up to this may be missing
  std::uint64_t dropped_then_ = 0; // counted when they were excused
  std::uint64_t incarnation_ = 0;  // of the sink
  std::set<std::uint64_t> told_;   // of drop_oldest, to have been dropped
  std::set<std::uint64_t> lost_;   // of drop_oldest, otherwise
  std::array<series, 2> series_;
};

} // namespace rookery::sim
