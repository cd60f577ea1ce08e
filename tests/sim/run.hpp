#pragma once

#include "tests/sim/tally.hpp"

#include <cstdint>
#include <string>

namespace rookery::sim {

/// What came of one seed.
struct result {
  std::string failure; // empty: every invariant held
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::uint64_t posts = 0;
  tally effects;
};

/// Load under faults, heal, quiet, check, restart everything, check again.
[[nodiscard]] result run(std::uint64_t seed, bool trace);

} // namespace rookery::sim
