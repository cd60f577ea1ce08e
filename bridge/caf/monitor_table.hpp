#pragma once

#include "bridge/amqp/outgoing.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/attachable.hpp>
#include <caf/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rookery::bridge {

/// What actors of this node watch at other nodes: an entry for each monitor and
/// link, until it is told that the watched actor has ended. It is told once:
/// who is taken out of the table is handed to the caller, to be told outside of
/// all locks. Bounded; entries of watchers that are gone can be dropped.
/// @thread any
class monitor_table {
public:
  using clock = std::chrono::steady_clock;

  /// Somebody to be told that what it watched has ended; or, if it wanted to
  /// know just that, that the watch has `begun`.
  struct told {
    caf::attachable_ptr who;
    caf::error reason;
    bool begun = false;
    const caf::abstract_actor* of = nullptr;
  };
  /// Where the watched actor is.
  struct place {
    std::string peer; // reply queue of its node; empty = not known yet
    std::uint64_t target = 0;
  };
  enum class state : std::uint8_t {
    asked, // it has not begun, as far as is known
    begun,
    gone // its node is: the end of it is on the way
  };
  /// A watch and where it is watched.
  struct watch {
    std::uint64_t number = 0;
    place at = {};
    state progress = state::asked;
    // How it was asked for, and until when.
    std::shared_ptr<amqp::outgoing_queue> by = {};
    clock::time_point deadline = {};
    bool ended = false;                  // only copies are to come
    std::vector<std::string> paths = {}; // see v1::Watch
    bool link = false;
    bool once = false; // it is over when it has begun
    // Set: the watcher, which was linked, has ended like that, and is told
    // nothing; the other node is, until it has answered.
    std::optional<caf::error> exit = {};
  };

  explicit monitor_table(std::size_t watches_max) : watches_max_{watches_max} {}

  /// Adds the watch `x`, of the proxy `of`. False, and `who` is untouched, when
  /// there are too many. It fails by itself when it has not begun by
  /// `deadline`.
  [[nodiscard]] bool add(watch x, const caf::abstract_actor* of,
                         caf::attachable_ptr& who, clock::time_point deadline);

  /// It has begun. False when there is no such watch, is none any more, or it
  /// has begun elsewhere: then `at` need not go on.
  [[nodiscard]] bool begun(std::uint64_t number, place at);

  /// The end of a watched actor, as it was told over the reply queue.
  struct end_type {
    std::uint64_t name = 0; // of all ends; see v1::Down
    caf::error reason;
    std::vector<std::uint32_t> copies; // that are to come besides, or have
  };
  /// `peer` said so. The copies have time until `deadline`.
  void down(std::uint64_t number, const std::string& peer, end_type end,
            clock::time_point deadline);
  /// The end `name` was told over path number `which`.
  void down_copy(std::uint64_t number, std::uint64_t name, std::uint32_t which);
  /// Takes it out, untold; null when it is gone.
  [[nodiscard]] caf::attachable_ptr take(std::uint64_t number);
  /// Nothing more can be learnt of it. Nothing when it is gone.
  void fail(std::uint64_t number, caf::error reason);
  /// All of them.
  void fail_all(const caf::error& reason);

  /// Ends those whose time is over.
  void expire(clock::time_point now);
  /// Calls `f` with each that is to be told now, one at a time: what `detach`
  /// takes out meanwhile is not told. `f` may call the table.
  void tell_each(const std::function<void(told&)>& f);

  /// Takes out those of `of` that match, as CAF's `detach`.
  [[nodiscard]] std::vector<watch> detach(const caf::abstract_actor* of,
                                          const caf::attachable::token& which);
  /// The linked watchers of `of` that match have ended like that.
  void leave(const caf::abstract_actor* of, const caf::attachable::token& which,
             const caf::error& exit, clock::time_point deadline);
  /// Whether one of them does.
  [[nodiscard]] bool contains(const caf::abstract_actor* of,
                              const caf::attachable::token& which) const;
  /// Takes out those whose watcher has ended without a word: links say so.
  [[nodiscard]] std::vector<watch> take_orphans();

  /// Changes the paths of each whose watcher is told by messages to what
  /// `paths_of` says.
  void renew_paths(
      const std::function<std::vector<std::string>(const caf::actor_addr&)>&
          paths_of);
  /// All there are.
  [[nodiscard]] std::vector<watch> all() const;
  /// Those at `peer`, which is gone: they end by `deadline`. Of the end of each
  /// that it told, copies named `end` come by all paths in place of its own.
  [[nodiscard]] std::vector<watch> peer_gone(const std::string& peer,
                                             std::uint64_t end,
                                             clock::time_point deadline);
  /// The peers where actors are watched.
  void add_peers(std::set<std::string>& out) const;
  [[nodiscard]] std::size_t size() const;

private:
  using copy = std::pair<std::uint64_t, std::uint32_t>; // of which end
  struct entry {
    watch what;
    const caf::abstract_actor* of = nullptr;
    caf::attachable_ptr who;
    caf::actor_addr observer;        // null: none, or not known
    clock::time_point deadline;      // to begin; ended: for the copies
    caf::error reason;               // ended
    std::deque<copy> came;           // the last of them
    std::set<std::uint32_t> to_come; // ended: copies that have not
    std::uint64_t end = 0;           // ended: the name of the copies
  };
  using table = std::unordered_map<std::uint64_t, entry>;

  [[nodiscard]] static bool is_of(const entry& x, const caf::abstract_actor* of,
                                  const caf::attachable::token& which);
  // Call it with mutex_ held.
  void tell(table::iterator which);

  const std::size_t watches_max_;
  mutable std::mutex mutex_; // guards all below
  table entries_;
  std::deque<told> told_; // that are to be
};

} // namespace rookery::bridge
