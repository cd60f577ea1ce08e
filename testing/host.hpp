#pragma once

#include "testing/world.hpp"

#include <deque>
#include <functional>
#include <string>
#include <utility>

namespace rookery::testing {

/// A process: it may be paused, as by SIGSTOP, and what happens to it
/// meanwhile then happens at its end, in order.
class host {
public:
  host(world& outside, std::string name_arg)
      : outside_{outside},
        name_{std::move(name_arg)} {}
  host(const host&) = delete;
  host& operator=(const host&) = delete;
  virtual ~host() = default;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] world& outside() { return outside_; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] std::size_t deferred() const { return deferred_.size(); }
  /// When its last pause ended, and how long that was.
  [[nodiscard]] world::clock::time_point woke_at() const { return woke_at_; }
  [[nodiscard]] world::clock::duration slept() const {
    return woke_at_ - paused_at_;
  }

  /// Runs `what` as this process, now or when it wakes.
  void execute(std::function<void()> what) {
    if (paused_)
      return deferred_.push_back(std::move(what));
    what();
    after_event();
  }

  void pause() {
    if (!std::exchange(paused_, true))
      paused_at_ = outside_.now();
  }
  void resume() {
    if (std::exchange(paused_, false))
      woke_at_ = outside_.now();
    while (!deferred_.empty() && !paused_) {
      auto what = std::move(deferred_.front());
      deferred_.pop_front();
      what();
      after_event();
    }
  }
  /// It is gone, and what waited for it to wake never happens.
  void discard() {
    paused_ = false;
    deferred_.clear();
  }

protected:
  /// What the process does after anything happened to it.
  virtual void after_event() {}

private:
  world& outside_;
  std::string name_;
  bool paused_ = false;
  world::clock::time_point paused_at_{};
  world::clock::time_point woke_at_{};
  std::deque<std::function<void()>> deferred_;
};

} // namespace rookery::testing
