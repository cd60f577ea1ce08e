#pragma once

#include "tests/sim/node_host.hpp"
#include "tests/sim/tally.hpp"

#include <caf/actor.hpp>
#include <caf/error.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <set>

namespace rookery::sim {

/// What the bridge promises of monitors, links and requests: actors at one node
/// that end now and then; at another node others watch them, ask them questions
/// and are told by them. Each monitor and link is told once, and not before all
/// that the actor told and answered came (I12), unless it was taken back; each
/// question ends once, with its own answer or an error, by its deadline. A
/// third node watches them and dies now and then; no node remembers watchers
/// that are gone.
class vigil : public std::enable_shared_from_this<vigil> {
public:
  /// `from` watches actors of `to`, and so does `third`.
  vigil(world& outside, std::shared_ptr<node_host> from,
        std::shared_ptr<node_host> to, std::shared_ptr<node_host> third,
        tally& effects, bool packs)
      : outside_{outside},
        from_{std::move(from)},
        to_{std::move(to)},
        third_{std::move(third)},
        effects_{effects},
        packs_{packs} {}

  static constexpr const char* queue_name = "mortals";
  static constexpr const char* desk_name = "desk";
  static constexpr std::uint32_t window = 8;

  /// To be called whenever `to` has started: serves the queue there.
  void serve();
  /// To be called whenever `from` has started, which must not crash while
  /// somebody watches.
  void declare();
  /// To be called whenever `third` has started.
  void attend();
  /// Begins to watch, and to give the actors something to do.
  void start(world::clock::duration pace);
  void stop() { running_ = false; }
  /// Whether the watchers that are known at `to` are those that there are.
  [[nodiscard]] bool agreed() const;
  /// The present actor is to end, and is the last that is watched.
  void finish();
  /// Whether every monitor was told, and forgotten by both nodes.
  [[nodiscard]] bool complete() const;
  /// Fails the run if not.
  void check_complete() const;

  // For the actors.
  [[nodiscard]] std::uint64_t born() { return ++born_; }
  [[nodiscard]] bool delegates();
  [[nodiscard]] bool dies(std::uint64_t actor);
  void taken_along(std::uint64_t actor);
  void third_told(std::uint64_t life, bool again, const caf::error& why);
  void told(std::uint64_t actor);
  void down(std::uint64_t monitor, const caf::error& why);
  void taken_back(std::uint64_t monitor);
  /// What was in its mailbox then has been handled.
  void left(std::uint64_t monitor) { leaving_.erase(monitor); }
  /// `answer` is 0 when there was none.
  void answered(std::uint64_t question, std::uint64_t answer);

private:
  [[nodiscard]] bool told_all() const;
  void work(world::clock::duration pace);
  void send();
  void ask();
  void expect_end(std::uint64_t question, world::clock::duration time);
  void watch();
  void look_on();
  [[nodiscard]] world::clock::duration next_watch_time();
  void check_reason(const caf::error& why);

  world& outside_;
  std::shared_ptr<node_host> from_;
  std::shared_ptr<node_host> to_;
  std::shared_ptr<node_host> third_;
  tally& effects_;
  const bool packs_; // what is sent may share transfers
  caf::actor watcher_;
  bool running_ = false;
  bool finishing_ = false;
  std::uint64_t born_ = 0;          // actors so far
  std::uint64_t monitors_ = 0;      // so far
  std::uint64_t questions_ = 0;     // so far
  int resolving_ = 0;               // that did not end
  std::set<std::uint64_t> asked_;   // questions that did not end
  std::set<std::uint64_t> open_;    // monitors that were not told
  std::set<std::uint64_t> leaving_; // taken back; may be told, in the mailbox
  std::set<std::uint64_t> ended_;   // actors whose end was told in time
  std::map<std::uint64_t, world::clock::time_point> end_; // when each ended
};

} // namespace rookery::sim
