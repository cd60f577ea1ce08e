#pragma once

#include <caf/actor_addr.hpp>
#include <caf/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rookery::bridge {

/// The actors that serve addresses of this node, and who at which node wants to
/// be told when one ends. A watcher leaves when it was told, when it says so,
/// and when it has not been renewed for a while. Bounded.
/// @thread any
class watcher_table {
public:
  using clock = std::chrono::steady_clock;

  struct watcher {
    std::string reply_to;     // of its node, an AMQP address
    std::uint64_t number = 0; // among the watches of that node
    std::vector<std::string> paths = {};
    bool link = false;
  };
  /// Something to tell a watcher.
  struct notice {
    watcher to;
    std::uint64_t target = 0;
    /// Nothing: the watch has begun. Else why the target has ended.
    std::optional<caf::error> ended = {};
  };

  explicit watcher_table(std::size_t watchers_max)
      : watchers_max_{watchers_max} {}

  /// `target` serves the AMQP address `path` from now on.
  /// @returns what names it in this process; not 0
  [[nodiscard]] std::uint64_t add_target(const caf::actor_addr& target,
                                         std::string path, bool linkable);
  void target_ended(std::uint64_t target, const caf::error& reason);

  /// None of them serves here any more.
  void end_all(const caf::error& reason);

  /// A new one; the same watch twice is one, of the later target.
  void add(std::uint64_t target, watcher x, clock::time_point now);
  /// One that has begun says that it is still there. Nothing is told, unless
  /// the target has ended.
  void renew(std::uint64_t target, const watcher& x, clock::time_point now);
  void remove(const std::string& reply_to, std::uint64_t number);
  /// A linked watcher has ended; it is told that this is known.
  /// @returns the target that it takes along, if any
  [[nodiscard]] caf::actor_addr exit(std::uint64_t target, watcher x);
  /// Forgets those that were not renewed since `before`.
  void expire(clock::time_point before);

  /// What is to be told, in order.
  [[nodiscard]] std::vector<notice> take_notices();

  /// The addresses that `x` serves here.
  [[nodiscard]] std::vector<std::string> paths_of(const caf::actor_addr& x,
                                                  std::size_t count_max) const;
  /// Counts what changes the answers of `paths_of`.
  [[nodiscard]] std::uint64_t changes() const;
  [[nodiscard]] std::size_t size() const;

private:
  using key = std::pair<std::string, std::uint64_t>; // reply_to, number
  struct target_state {
    caf::actor_addr actor;
    std::string path;
    bool linkable = false;
    std::set<key> watchers = {};
  };
  struct watching {
    watcher who;
    std::uint64_t target = 0;
    clock::time_point renewed{};
  };
  using table = std::map<key, watching>;

  // Call them with mutex_ held.
  void end(std::map<std::uint64_t, target_state>::iterator which,
           const caf::error& reason);
  void take_out(table::iterator which);
  // @returns whether it is watched now
  bool insert(std::uint64_t target, const watcher& x, clock::time_point now);
  [[nodiscard]] caf::error why_not_there(std::uint64_t target) const;

  const std::size_t watchers_max_;
  mutable std::mutex mutex_; // guards all below
  std::uint64_t targets_made_ = 0;
  std::uint64_t changes_ = 0;
  std::map<std::uint64_t, target_state> targets_;
  table watchers_;
  // The last that ended, and why: a watcher that was away asks again.
  std::deque<std::pair<std::uint64_t, caf::error>> ended_;
  std::vector<notice> notices_; // not taken yet
};

} // namespace rookery::bridge
