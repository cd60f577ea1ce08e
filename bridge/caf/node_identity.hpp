#pragma once

#include <caf/actor_system.hpp>

#include <string_view>

namespace rookery::bridge {

/// Gives `system` a node id of its own: `name` and a random incarnation.
///
/// CAF gives none without its own networking; then the handles of two systems
/// in one process compare equal whenever their actors have the same number,
/// and sets and maps of handles mix them up. One process, one system: not
/// needed. Call it right after making the system and before anything is
/// spawned: actors copy the id when they are made, and nothing guards it.
void give_identity(caf::actor_system& system, std::string_view name);

} // namespace rookery::bridge
