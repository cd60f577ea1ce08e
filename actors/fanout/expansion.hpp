#pragma once

#include "actors/partition.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace rookery::actors {

/// One row of a tweet log on its way to the author's followers. The followers
/// are not copied: the job keeps a position in the author's list.
struct expansion_job {
  std::uint64_t batch; // whom to tell when it is done
  tweet_id tweet;      //
  std::uint64_t intended_at_us;
  std::uint32_t author;       // slot
  std::uint32_t position = 0; // the first follower not served yet
  bool erases = false;        // a deletion
};

/// The unfinished expansions of a shard. Authors take turns: who has
/// a million followers, or deletes thousands of tweets, delays the others by
/// one quantum each time round. The jobs of one author are done in order, a
/// deletion after its post, and only the first of them is under way. Bounded by
/// its owner: push only while authors() < its limit; how many jobs there are is
/// bounded by who has to be told when they are done.
class expansion {
public:
  /// What the jobs work on.
  class followers_source {
  public:
    virtual ~followers_source() = default;

    /// The list of an author as it is now, served from its start.
    virtual std::span<const std::uint32_t> followers(std::uint32_t author) = 0;

    /// Serves this stretch of the list (which may have gaps). `first` when the
    /// job starts: then the author's own home is due, too.
    virtual void serve(const expansion_job& job,
                       std::span<const std::uint32_t> followers,
                       bool first) = 0;

    /// The job is over. `cancelled`: before its end.
    virtual void finished(const expansion_job& job, bool cancelled) = 0;
  };

  /// A post whose deletion comes while it waits or is under way ends,
  /// cancelled, when its author has the next turn.
  void push(const expansion_job& job);

  /// Serves about `quantum` (1 or more) followers: those of the author whose
  /// turn it is, and when his jobs are done the next one's. Who is not done
  /// with it goes to the end.
  void work(std::uint32_t quantum, followers_source& source);

  /// Moves the position in the list of `author`, before it is compacted.
  void move_position(std::uint32_t author,
                     const std::function<std::uint32_t(std::uint32_t)>& move);

  [[nodiscard]] bool empty() const noexcept { return turns_.empty(); }
  /// Jobs, of all authors.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t authors() const noexcept { return turns_.size(); }

private:
  /// @returns the number of followers served by the first of `jobs`, which is
  /// taken out when it is done
  std::uint64_t serve_first(std::list<expansion_job>& jobs,
                            std::uint64_t followers_max,
                            followers_source& source);

  std::deque<std::uint32_t> turns_; // authors with jobs, the next one first
  // By author, never empty. Lists, because most have one job.
  std::unordered_map<std::uint32_t, std::list<expansion_job>> jobs_;
  std::size_t size_ = 0;                 // of all in jobs_
  std::unordered_set<tweet_id> deleted_; // whose deletion is in jobs_
};

} // namespace rookery::actors
