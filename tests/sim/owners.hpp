#pragma once

#include "testing/broker_host.hpp"
#include "tests/sim/node_host.hpp"
#include "tests/sim/tally.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rookery::sim {

/// What `single_active_consumer` and the lease promise together: numbers go to
/// a queue that several nodes serve, and one at a time owns it. They are begun
/// in order, whoever owns it then. Who no longer owns it, for the broker gave
/// it to another one that has begun, neither begins nor ends anything once it
/// had a moment to learn of it; and nothing at all when it was stopped for
/// longer than its lease. When all is well nothing is handled twice, and never
/// by two at once, also when an owner of higher priority comes or one stops.
class owners : public std::enable_shared_from_this<owners> {
public:
  owners(world& outside, std::shared_ptr<testing::broker_host> broker,
         std::shared_ptr<node_host> from,
         std::vector<std::shared_ptr<node_host>> homes, tally& effects,
         bool packs);

  static constexpr const char* queue_name = "owned";
  static constexpr std::uint32_t window = 8;

  /// To be called whenever `homes[which]` has started: serves the queue there.
  void serve(std::size_t which);
  /// To be called whenever `from` has started, which must not crash.
  void declare();
  /// Begins to send.
  void start(world::clock::duration pace);
  void stop() { running_ = false; }
  /// What was sent so far may be lost: the broker lost what it held.
  void excuse_all() { excused_ = sent_; }
  /// From now on nobody fails. Call it when all is quiet.
  void be_strict();
  /// Whether everything due has come.
  [[nodiscard]] bool complete() const { return missing() == 0; }
  /// Fails the run if not.
  void check_complete() const;

  // For the actors: `life` is one of `homes[which]`.
  void begun(std::size_t which, std::uint64_t life, std::uint64_t number);
  void ended(std::size_t which, std::uint64_t life, std::uint64_t number);
  /// A worker ends with its lease: what it was given comes once more, behind
  /// what its node has already.
  void lapsed() { excused_order_ = sent_; }

private:
  struct home {
    std::shared_ptr<node_host> node;
    std::set<std::uint64_t> running; // by its present process
    // Since when another one has begun things as the owner.
    std::optional<world::clock::time_point> lost_at = {};
  };

  // The one whose consumer the broker takes for the active one, if any.
  [[nodiscard]] const home* owner() const;
  // Whether `x` may act. Fails the run if it must know better by now.
  [[nodiscard]] bool owns(home& x, std::uint64_t number, const char* does);
  // That nobody else works, and nobody did on this.
  void check_alone(const home& x, std::uint64_t number);
  [[nodiscard]] std::uint64_t missing() const; // 0: nothing is
  void send(world::clock::duration pace);

  world& outside_;
  std::shared_ptr<testing::broker_host> broker_;
  std::shared_ptr<node_host> from_;
  std::vector<home> homes_;
  tally& effects_;
  const bool packs_;          // what is sent may share transfers
  const std::int32_t turned_; // the last home has the highest priority, or 0
  caf::actor queue_;          // a handle of it
  bool running_ = false;
  bool strict_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t excused_ = 0;       // numbers up to this may be missing
  std::uint64_t excused_order_ = 0; // and up to this be late
  std::set<std::uint64_t> began_;   // by an owner
  std::uint64_t highest_ = 0;       // of those
  const home* last_ = nullptr;      // owner that began something
  std::set<std::uint64_t> finished_;
};

} // namespace rookery::sim
