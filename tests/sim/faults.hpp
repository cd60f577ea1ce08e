#pragma once

#include "tests/sim/cluster.hpp"

namespace rookery::sim {

/// Plans some faults for the next `span`, drawn from the world's chance, and
/// their ends. Counts what they really did in `on.effects`.
void plan_faults(cluster& on, world::clock::duration span);

} // namespace rookery::sim
