#pragma once

#include "actors/fanout/timeline.hpp"
#include "actors/fanout/user_index.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace rookery::actors {

/// The limits of all home timelines of a shard together.
struct homes_limits {
  timeline_limits timeline;
  /// Timelines held, complete or building: 1 or more. When there are more
  /// readers, those that were not read for long become absent. 6.9 KB each.
  std::uint32_t timelines_max = 250'000;
  /// Timelines that may be building at the same time.
  std::uint32_t builds_max = 4'096;
  /// Deletions one building timeline remembers, and authors it postpones; with
  /// more of either it becomes absent, and starts again for who waits for it.
  std::uint32_t kept_max = 1'024;
  /// Debugging: see `homes::insert`.
  bool drop_one = false;
};

/// What happened to the timelines of a shard, counted since it started.
struct homes_counters {
  std::uint64_t pushed = 0;     // inserted by `insert`
  std::uint64_t pulled = 0;     // inserted by `merge`
  std::uint64_t trimmed = 0;    // dropped for want of room
  std::uint64_t duplicates = 0; // not inserted: already there
};

/// The home timelines of a shard's readers. A timeline is absent (live changes
/// pass it by), building, or complete.
///
/// A building timeline takes live insertions at once and results of pulls as
/// they come: for a set, order is no matter. The one thing that could go wrong
/// is a pull that was read before a deletion and comes after it, so a building
/// timeline remembers what was deleted meanwhile. Ids never come back, so this
/// needs no seq. What passed by while it was absent is in the pull, provided
/// the pull is read later: its asker compares the heads of the logs.
class homes {
public:
  enum class state : std::uint8_t { absent, building, complete };

  explicit homes(homes_limits limits) : limits_{limits} {}

  /// Makes an absent timeline building: empty, with `pulls` results to come.
  /// False when `builds_max` are building.
  bool begin(user_slot reader, std::uint32_t pulls);

  /// Makes a timeline that is not absent wait for `pulls` more results. What it
  /// has stays. When `builds_max` are building it becomes absent instead, and
  /// the result is false.
  bool expect(user_slot reader, std::uint32_t pulls);

  /// Remembers `authors` of a building timeline, for whom a result is to be
  /// asked when those under way are there; with too many it becomes absent.
  /// False when it is not building.
  bool postpone(user_slot reader, const std::vector<user_slot>& authors);

  /// Those of a timeline that has all results but theirs; then it forgets them.
  [[nodiscard]] std::vector<user_slot> take_postponed(user_slot reader);

  /// Takes one result into a building timeline. `reaches_back`: there is
  /// nothing older by these authors; otherwise the result was cut off below its
  /// smallest id. After the last result, with nobody postponed, it is complete,
  /// or, where deletions made it too short, absent.
  void merge(user_slot reader, std::span<const tweet_id> ids,
             bool reaches_back);

  /// A live insertion. With `drop_one` the newest one into any complete
  /// timeline is withheld until the next takes its place, so that at every
  /// moment exactly one is missing: a verifier must find it.
  void insert(user_slot reader, tweet_id id);

  /// A live deletion. @returns whether the timeline became absent, because it
  /// can no longer tell its first entries.
  bool erase(user_slot reader, tweet_id id);

  /// Makes a timeline absent.
  void drop(user_slot reader);

  /// Keeps a timeline from becoming absent for want of room, for a while.
  void mark_read(user_slot reader);

  /// Loads what `insert` is going to touch, in two steps ahead of it.
  void prefetch_home(user_slot reader) const;
  void prefetch_entries(user_slot reader) const;

  [[nodiscard]] state state_of(user_slot reader) const;

  /// Distinguishes this timeline from earlier ones of its reader; 0 = absent.
  [[nodiscard]] std::uint64_t generation(user_slot reader) const;

  /// What the timeline holds now; null when it is absent.
  [[nodiscard]] const timeline* entries(user_slot reader) const;

  [[nodiscard]] std::uint32_t complete_count() const noexcept {
    return held_ - building_;
  }
  [[nodiscard]] std::uint32_t building_count() const noexcept {
    return building_;
  }
  [[nodiscard]] const homes_counters& counters() const noexcept {
    return counters_;
  }

private:
  struct build {
    std::uint32_t pulls;           // results to come
    std::vector<tweet_id> deleted; // since it began
    std::vector<user_slot> postponed = {};
  };
  struct home {
    timeline entries;
    std::uint64_t generation;
    std::unique_ptr<build> building; // null = complete
    bool read = true;                // since the sweep last came by
  };
  struct withheld {
    user_slot reader = 0;
    std::uint64_t generation = 0; // 0 = nothing is withheld
    tweet_id id = 0;
  };

  [[nodiscard]] home* find(user_slot reader) const;
  void count(timeline::outcome outcome, std::uint64_t& inserted);
  void withhold(user_slot reader, home& target, tweet_id id);
  void make_room();

  homes_limits limits_;
  std::deque<std::unique_ptr<home>> homes_; // by slot; null = absent
  std::uint32_t held_ = 0;                  // not null
  std::uint32_t building_ = 0;              // of these
  std::uint64_t generations_ = 0;
  user_slot sweep_ = 0; // where make_room goes on
  withheld withheld_;
  homes_counters counters_;
};

} // namespace rookery::actors
