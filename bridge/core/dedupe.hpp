#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace rookery::bridge {

/// What became of each message of one stream, so that a second delivery of the
/// same one is known. Remembers the last `window` numbers up to the highest
/// seen, two bits each, and an eighth as many that failed: those come again,
/// behind all that waits by then, and a broken connection may bring one twice.
/// Bounded memory, whatever the stream's length.
/// Numbers start at 1 and need not come in order. A number that has fallen out
/// of the window is told apart, since it may be a duplicate or merely late:
/// only natural keys in a store can decide that.
/// Pure; one thread. Its owner bounds the number of streams.
class dedupe {
public:
  enum class state : std::uint8_t {
    /// Not seen, or seen and failed.
    unseen,
    /// With its handler; another delivery of it waits for the same end.
    running,
    /// The handler finished.
    done,
    /// Older than the window: not known.
    forgotten,
  };

  /// `window` in messages, rounded up to a multiple of 64, >= 1. Should be
  /// well above what the origin may have in flight.
  explicit dedupe(std::uint32_t window);

  [[nodiscard]] state find(std::uint64_t seq) const;

  /// A delivery of `seq` came: an unseen one is running from now on. A higher
  /// number than ever moves the window. `seq` >= 1.
  /// @returns what it was before.
  [[nodiscard]] state begin(std::uint64_t seq);

  /// The handler of a running `seq` finished. Changes nothing when the window
  /// has moved on, unless it had failed before.
  void finish(std::uint64_t seq);

  /// It ended otherwise: the next delivery of a running `seq` is a new one, on
  /// which handlers have failed `failures` times. That, and what becomes of it
  /// then, is remembered whatever comes meanwhile, of an eighth as many numbers
  /// as the window has; those that are done make room first.
  void fail(std::uint64_t seq, std::uint32_t failures = 0);
  /// No delivery of a running `seq` is to follow. One that does is a new one.
  void give_up(std::uint64_t seq);
  [[nodiscard]] std::uint32_t failures(std::uint64_t seq) const;

  [[nodiscard]] std::uint64_t highest() const noexcept { return highest_; }

private:
  using words = std::vector<std::uint64_t>;

  struct failed_before {
    std::uint32_t failures = 0;
    state now = state::unseen;
  };

  [[nodiscard]] bool in_window(std::uint64_t seq) const;
  void change(std::uint64_t seq, state now);
  void forget_one_but(std::uint64_t seq);
  [[nodiscard]] bool test(const words& bits, std::uint64_t seq) const;
  void set(words& bits, std::uint64_t seq, bool value);
  void move_to(std::uint64_t seq);

  std::uint64_t highest_ = 0;
  std::uint64_t size_; // bits in each ring
  words running_;      // bit seq % size_ for the last size_ numbers
  words done_;         // never set where running_ is
  std::map<std::uint64_t, failed_before> failed_;
};

} // namespace rookery::bridge
