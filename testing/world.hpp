#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::testing {

/// The time, chance and order of one simulated run, and the record of what
/// happened in it. Everything that happens is an event in its queue; events of
/// one moment happen in the order they were asked for. So one seed is one run.
/// @thread one
class world {
public:
  using clock = std::chrono::steady_clock;

  explicit world(std::uint64_t seed, bool trace = false)
      : random_{seed},
        trace_{trace} {}
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  [[nodiscard]] clock::time_point now() const { return now_; }
  /// Since the run began.
  [[nodiscard]] std::chrono::microseconds age() const;
  /// What the wall says, which may jump; starts at 2026-01-02 00:00 UTC.
  [[nodiscard]] std::chrono::system_clock::time_point wall() const;
  void jump_wall(std::chrono::milliseconds by) {
    wall_skew_ += by;
    set_back_ += by.count() < 0 ? 1 : 0;
  }
  /// How often it went back.
  [[nodiscard]] std::uint64_t set_back() const { return set_back_; }

  /// Uniform numbers; `draw`: 0..count - 1, `chance`: once in `count`.
  std::uint64_t random() { return random_(); }
  std::uint64_t draw(std::uint64_t count) { return random_() % count; }
  bool chance(std::uint64_t count) { return draw(count) == 0; }
  clock::duration between(clock::duration least, clock::duration most);

  void after(clock::duration delay, std::function<void()> what);
  /// Happens only while `who` lives.
  template <class T, class F>
  void after(clock::duration delay, const std::weak_ptr<T>& who, F what) {
    after(delay, [who, what] {
      if (auto alive = who.lock())
        what(*alive);
    });
  }

  /// Runs what happens until then, or until `stop` says so after an event.
  /// @returns whether it stopped
  bool run(clock::duration span, const std::function<bool()>& stop = {});

  /// Records an event: part of the hash, and printed when tracing.
  void note(std::string_view who, std::string_view what,
            std::uint64_t number = 0);
  /// Of all notes so far.
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t events() const { return count_; }

  /// Something that must not happen did: the run has failed.
  void fail(const std::string& why);
  [[nodiscard]] const std::string& failure() const { return failure_; }

private:
  struct event {
    clock::time_point when;
    std::uint64_t order;
    std::function<void()> what;
  };
  struct later {
    bool operator()(const event& a, const event& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };

  std::mt19937_64 random_;
  bool trace_;
  // Not the epoch: zero means "never" to Proton.
  const clock::time_point start_{std::chrono::hours{1}};
  clock::time_point now_ = start_;
  std::chrono::milliseconds wall_skew_{0};
  std::uint64_t set_back_ = 0;
  std::priority_queue<event, std::vector<event>, later> events_;
  std::uint64_t order_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t hash_ = 1469598103934665603ull; // FNV-1a
  std::string failure_;
};

} // namespace rookery::testing
