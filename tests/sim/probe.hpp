#pragma once

#include "tests/sim/node_host.hpp"
#include "tests/sim/tally.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace rookery::sim {

/// What the bridge alone promises, without the service: numbers sent from one
/// node to an actor of another, which takes its time with each and now and then
/// fails. They arrive in order at first, none is lost that is not excused, and
/// one that finished is not handled again by the same process. Some are poison:
/// the actor always fails on them, or never answers. Those, and only those,
/// come to be parked (I10), and what is not on the list of types that the
/// queue's node takes, which the actor never sees. Of each the sender hears
/// once how it ended.
class probe : public std::enable_shared_from_this<probe> {
public:
  probe(world& outside, std::shared_ptr<node_host> from,
        std::shared_ptr<node_host> to, tally& effects, bool packs)
      : outside_{outside},
        from_{std::move(from)},
        to_{std::move(to)},
        effects_{effects},
        packs_{packs} {}

  static constexpr const char* queue_name = "probe";
  static constexpr const char* parked_name = "probe.parked";
  static constexpr std::uint32_t window = 8;

  /// To be called whenever `to` has started: serves the queue there.
  void serve();
  /// To be called whenever `from` has started: sees to it that the queue is
  /// there, or what is sent before the sink declares it would end as released.
  /// Takes what is parked.
  void declare();
  /// Begins to send; the sender must not crash.
  void start(world::clock::duration pace);
  void stop() { running_ = false; }
  /// What was sent so far may be lost: the broker lost what it held.
  void excuse_all() {
    excused_ = sent_;
    strangers_due_.clear();
  }
  /// From now on nothing may be handled twice, by whatever process, and no
  /// handler fails by itself.
  void be_strict() { strict_ = true; }
  [[nodiscard]] bool strict() const { return strict_; }
  /// Fails the run when something is missing. Call it when all is quiet.
  void check_complete() const;
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  /// Sends some that are worth nothing in a moment, and must not be handled
  /// after that.
  void send_brief();
  /// Whether everything due has come.
  [[nodiscard]] bool complete() const;

  // For the actors.
  [[nodiscard]] bool is_poison(std::uint64_t number) const {
    return poison_.count(number) > 0;
  }
  /// One on which the actor never answers.
  [[nodiscard]] bool is_silent(std::uint64_t number) const {
    return silent_.count(number) > 0;
  }
  void parked(std::uint64_t number);
  void parked_stranger(std::uint64_t number) { strangers_due_.erase(number); }
  void handled_stranger();
  void lost() { ++lost_; }
  void begun(std::uint64_t number, std::uint64_t incarnation);
  void ended(std::uint64_t number, std::uint64_t incarnation, bool failed);

private:
  [[nodiscard]] bool arrived(std::uint64_t number) const;
  // Whether the answer of a handler that began then may come too late.
  [[nodiscard]] bool is_late(world::clock::time_point begun) const;
  // The numbers of sends that ended, and of those that must.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> ends() const;
  void send(world::clock::duration pace);

  world& outside_;
  std::shared_ptr<node_host> from_;
  std::shared_ptr<node_host> to_;
  tally& effects_;
  const bool packs_; // what is sent may share transfers
  bool running_ = false;
  bool strict_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t excused_ = 0; // numbers up to this may be missing
  std::uint64_t highest_ = 0; // that ever began
  world::clock::time_point brief_until_{};
  std::set<std::uint64_t> poison_;
  std::set<std::uint64_t> silent_; // of those
  std::set<std::uint64_t> parked_;
  caf::actor sender_;        // of the present process
  std::uint64_t to_end_ = 0; // sent by it at level done
  std::uint64_t lost_ = 0;   // of those, whose loss was told
  // Sent, of another type, and to be parked; by the number sent before.
  std::set<std::uint64_t> strangers_due_;
  std::set<std::uint64_t> began_;
  std::set<std::uint64_t> finished_;      // ever
  std::set<std::uint64_t> finished_here_; // by this incarnation of the sink
  std::map<std::uint64_t, world::clock::time_point> running_here_; // since
  std::uint64_t incarnation_ = 0;
};

} // namespace rookery::sim
