#pragma once

#include "actors/partition.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <span>

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

/// The unfinished expansions of a shard, worked round robin in quanta, so that
/// an author with a million followers delays the others by one quantum each
/// time round. Bounded by its owner: push only while size() < its limit.
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

  void push(const expansion_job& job) { jobs_.push_back(job); }

  /// Serves about `quantum` (1 or more) followers: the first job's first, and
  /// when it is done the next one's. A job that is not done goes to the end.
  void work(std::uint32_t quantum, followers_source& source);

  /// Ends the expansion of a post that is being deleted, if it runs.
  void cancel_post(tweet_id tweet, followers_source& source);

  /// Moves the positions in the list of `author`, before it is compacted.
  void move_positions(std::uint32_t author,
                      const std::function<std::uint32_t(std::uint32_t)>& move);

  [[nodiscard]] bool empty() const noexcept { return jobs_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return jobs_.size(); }

private:
  std::deque<expansion_job> jobs_;
};

} // namespace rookery::actors
