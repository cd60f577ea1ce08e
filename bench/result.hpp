#pragma once

#include "nodes/load/histogram.hpp"

#include <chrono>
#include <cstdint>
#include <iostream>

namespace rookery::bench {

using clock = std::chrono::steady_clock;

inline double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// The line that bench/compare reads, from whoever saw the last message.
inline void print_rate(std::uint64_t count, clock::time_point begin) {
  std::cout << "{\"count\": " << count
            << ", \"seconds\": " << seconds_since(begin) << "}" << std::endl;
}

/// The same for round trips, which the histogram holds in nanoseconds.
inline void print_latencies(const nodes::histogram& x,
                            clock::time_point begin) {
  auto us = [&](double share) {
    return static_cast<double>(x.percentile(share)) / 1e3;
  };
  std::cout << "{\"count\": " << x.count()
            << ", \"seconds\": " << seconds_since(begin)
            << ", \"p50_us\": " << us(0.5) << ", \"p99_us\": " << us(0.99)
            << ", \"p999_us\": " << us(0.999) << "}" << std::endl;
}

} // namespace rookery::bench
