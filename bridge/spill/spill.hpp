#pragma once

#include "bridge/amqp/outgoing.hpp"
#include "bridge/environment.hpp"
#include "bridge/spill/spill_file.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rookery::bridge {

/// SQLite calls a disk damaged that cannot be read for a moment. So it is
/// damage when it looks so again and again, for longer.
class spill_doubt {
public:
  /// How it went at `now`. @returns whether it is damage
  bool note(const spill_file::fate& x,
            std::chrono::steady_clock::time_point now);

private:
  std::chrono::steady_clock::time_point since_{};
  std::optional<std::chrono::steady_clock::time_point> last_;
};

/// One destination's part of a spill.
struct spill_lane {
  std::string address; // text form
  std::shared_ptr<amqp::outgoing_queue> queue;

  // Guarded by the spill.
  std::size_t to_write = 0;  // on their way to the file
  std::uint64_t to_read = 0; // in the file and not yet in `queue`
  std::uint64_t read_to = 0; // place of the last that was
  std::size_t too_long =
      0;                   // bytes of the next, which found no room; 0 = it did
  std::size_t refused = 0; // bytes of the last that was, for want of room
  std::chrono::steady_clock::time_point retry_at{}; // it could not be read
  spill_doubt doubt{};                              // as it was read
  // Of `to_read` what somebody waits for without a deadline: place, waiting.
  std::map<std::uint64_t, std::uint64_t> awaited{};

  bool troubled = false; // of the spill's worker: that was told

  [[nodiscard]] bool empty() const { return to_write + to_read == 0; }
};

/// Decides which messages wait in memory and which in the file, and moves them:
/// those that find no room to the file, and back when the send queue of their
/// destination is half empty. While the file has any for a destination, later
/// ones go there as well, so they keep their order. A message stays in the file
/// until its end is known. A file that is damaged is given up: it is left as it
/// is, and what finds no room in memory is refused from then on.
///
/// One lock, held for moves of memory only; the file is read and written by a
/// worker, as many messages in one transaction as came during the last.
/// @thread any
class spill {
public:
  struct owner {
    /// A message that could not be written, or that is in a file given up.
    std::function<void(const amqp::outgoing&, const std::string& why)> lost;
    /// A send queue was empty and is not.
    std::function<void()> refilled;
    /// The file cannot be read or written, told once, until it can again; or it
    /// is given up.
    std::function<void(const std::string& why)> trouble;
  };

  /// Bytes on their way to the file, at most; one message may exceed it alone.
  static constexpr std::size_t bytes_to_write_max = std::size_t{16} << 20;

  spill(std::shared_ptr<spill_file> file, const environment& world, owner tell);
  ~spill();

  /// Destinations that the last process left messages for.
  [[nodiscard]] const std::vector<spill_file::backlog>& found() const {
    return file_->found();
  }

  /// A destination; once for each.
  [[nodiscard]] std::shared_ptr<spill_lane>
  make_lane(std::string address, std::shared_ptr<amqp::outgoing_queue> queue);

  /// Queues `item` or takes it for the file. Full is when neither has room.
  [[nodiscard]] push_result push(const std::shared_ptr<spill_lane>& to,
                                 amqp::outgoing&& item);

  /// What a push of `bytes` would do now; see send_queue.
  [[nodiscard]] push_result would_push(spill_lane& to, std::size_t bytes);

  /// Whether messages for `x` will be queued that wait in the file now, or for
  /// it.
  [[nodiscard]] bool brings(const spill_lane& x) const;
  /// Whether messages for `x` wait in the file, or for it, or there is still no
  /// room for one like the last that was refused.
  [[nodiscard]] bool waits(const spill_lane& x) const;

  /// `x` has ended, however it did.
  void ended(const amqp::outgoing& x);

  /// Moves what can be moved. Call it now and then.
  void turn();

  /// Messages in the file, or on their way there, that have not ended.
  [[nodiscard]] std::uint64_t size() const;

  /// Brings nothing back any more: this process will not send it.
  void stop_reading();
  /// Takes nothing more.
  void close();
  /// As `close`, ends the thread, and lets go of the file: what is on its way
  /// there is lost. Waits for the disk. @thread any but its own
  void stop();
  /// The same, but writes what is on its way, and `rest`, which has not ended,
  /// first. Once. @returns how many of all these it could not write
  std::size_t keep(
      std::vector<std::pair<std::shared_ptr<spill_lane>, amqp::outgoing>> rest);

private:
  struct entry {
    std::shared_ptr<spill_lane> to;
    amqp::outgoing item;
  };
  using lock = std::unique_lock<std::mutex>;

  [[nodiscard]] bool in_memory(const spill_lane& to) const;
  [[nodiscard]] bool file_has_room(const spill_lane& to,
                                   std::size_t bytes) const;
  [[nodiscard]] bool has_room(const spill_lane& to, std::size_t bytes) const;
  // Notes it. What is longer than all is not: there is nothing to wait for.
  push_result refuse(spill_lane& to, std::size_t bytes) const;
  [[nodiscard]] bool has_work() const;
  void begin_work();
  void forget(std::uint64_t bytes);
  void give_up(lock& guard, const std::string& why);
  void work();
  // Each lets go of `guard` while it is at the file. @returns whether it could
  bool write(lock& guard);
  void read(lock& guard, spill_lane& from);
  [[nodiscard]] bool wants(const spill_lane& x) const;
  void note(const spill_file::error& result, bool& troubled);
  [[nodiscard]] spill_file::message to_message(const entry& x) const;
  [[nodiscard]] amqp::outgoing to_outgoing(spill_file::message x) const;

  const std::shared_ptr<spill_file> file_;
  const environment& world_;
  const owner tell_;
  const std::uint64_t first_place_; // of this process
  std::unique_ptr<worker> worker_;
  mutable std::mutex mutex_; // guards what follows, not the file
  std::vector<std::shared_ptr<spill_lane>> lanes_;
  std::vector<entry> to_write_;
  std::size_t bytes_to_write_ = 0; // also of those being written
  std::vector<std::uint64_t> ended_;
  std::uint64_t last_place_;
  std::uint64_t messages_ = 0; // in the file or on their way to it
  std::uint64_t bytes_ = 0;    // of them
  std::chrono::steady_clock::time_point retry_at_{}; // it was not written
  bool working_ = false;
  bool reading_ = true;
  bool closed_ = false;
  spill_file::error given_up_;   // why
  std::size_t lost_at_stop_ = 0; // not written since then
  // Of the worker, or of `keep` after it.
  bool troubled_ = false;
  spill_doubt doubt_; // as it was written
};

} // namespace rookery::bridge
