#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace rookery::nodes {

/// Numbers from a seed, the same on every compiler and library, which the
/// distributions of <random> do not promise. Not for secrets.
/// @source xorshift64* and splitmix64 by Sebastiano Vigna, public domain.
class seeded_random {
public:
  explicit seeded_random(std::uint64_t seed) : state_(mix(seed)) {}

  /// Any 64 bits.
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dU;
  }

  /// 0..count - 1; `count` >= 1.
  std::uint64_t below(std::uint64_t count) {
    return static_cast<std::uint64_t>(unit() * static_cast<double>(count));
  }

  /// At least 0, below 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// Exponential with this mean: the pause between Poisson arrivals.
  double exponential(double mean) { return -mean * std::log(1.0 - unit()); }

  /// Lognormal: exp of a normal with mean 0 and deviation `sigma`, scaled so
  /// that the mean is 1.
  double lognormal(double sigma) {
    auto radius = std::sqrt(-2.0 * std::log(1.0 - unit()));
    auto normal = radius * std::cos(2.0 * std::numbers::pi * unit());
    return std::exp(sigma * normal - sigma * sigma / 2.0);
  }

  /// Pareto with minimum 1: P(x > y) = y^-alpha.
  double pareto(double alpha) { return std::pow(1.0 - unit(), -1.0 / alpha); }

private:
  static std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    x ^= x >> 31;
    return x == 0 ? 1 : x; // xorshift stands still at zero
  }

  std::uint64_t state_;
};

} // namespace rookery::nodes
