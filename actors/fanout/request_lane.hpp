#pragma once

#include "actors/fanout/question.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace rookery::actors {

/// Points in time on a steady clock; cores are only ever told them.
using steady_time = std::chrono::steady_clock::time_point;

/// The questions to one writer: so many at a time without an answer, in order;
/// after a failure none for a while. A question that failed is asked again
/// before the others. How many wait is bounded by who asks: of those that may
/// become pointless, by how many are of use.
class request_lane {
public:
  struct limits {
    std::uint32_t requests_max = 16; // without an answer
    std::chrono::milliseconds retry_min{100};
    std::chrono::milliseconds retry_max{5'000};
  };

  explicit request_lane(limits x) : limits_{x} {}

  void push(question x) { waiting_.push_back(std::move(x)); }
  /// The same. Those that `is_pointless` are forgotten whenever twice as many
  /// wait as were left the last time.
  template <class F>
  void push(question x, F is_pointless) {
    if (waiting_.size() >= prune_at_) {
      std::erase_if(waiting_, is_pointless);
      prune_at_ = std::max(prune_min, 2 * waiting_.size());
    }
    push(std::move(x));
  }
  void push_urgent(question x) { waiting_.push_front(std::move(x)); }

  /// The question to ask now. It must end in one of the next three calls.
  [[nodiscard]] std::optional<question> next(steady_time now);

  /// The question needed no asking any more.
  void skipped() { --asked_; }

  void succeeded();

  void failed(question x, steady_time now);

  /// Whether questions wait for time to pass.
  [[nodiscard]] bool is_delayed(steady_time now) const {
    return !waiting_.empty() && now < retry_at_;
  }

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

private:
  static constexpr std::size_t prune_min = 1'024;

  limits limits_;
  std::deque<question> waiting_;
  std::size_t prune_at_ = prune_min;
  std::uint32_t asked_ = 0;
  std::chrono::milliseconds delay_{0}; // after the last failure; 0 = none since
  steady_time retry_at_{};
};

} // namespace rookery::actors
