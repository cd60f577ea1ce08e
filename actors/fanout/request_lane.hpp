#pragma once

#include "actors/fanout/question.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace rookery::actors {

/// Points in time on a steady clock; cores are only ever told them.
using steady_time = std::chrono::steady_clock::time_point;

/// The questions to one writer: so many at a time without an answer, in order;
/// after a failure none for a while. A question that failed is asked again
/// before the others. How many wait is bounded by who asks.
class request_lane {
public:
  struct limits {
    std::uint32_t requests_max = 16; // without an answer
    std::chrono::milliseconds retry_min{100};
    std::chrono::milliseconds retry_max{5'000};
  };

  explicit request_lane(limits x) : limits_{x} {}

  void push(question x) { waiting_.push_back(std::move(x)); }
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

private:
  limits limits_;
  std::deque<question> waiting_;
  std::uint32_t asked_ = 0;
  std::chrono::milliseconds delay_{0}; // after the last failure; 0 = none since
  steady_time retry_at_{};
};

} // namespace rookery::actors
