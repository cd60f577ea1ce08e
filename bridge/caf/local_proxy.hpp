#pragma once

#include <caf/actor_config.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/make_actor.hpp>

#include <utility>

namespace rookery::bridge {

/// Makes an actor without mailbox and behavior: `T`, derived from
/// caf::actor_proxy. It does not count as running, so it never keeps a system
/// from shutting down.
template <class T, class... Ts>
[[nodiscard]] caf::strong_actor_ptr make_local_proxy(caf::actor_system& system,
                                                     Ts&&... xs) {
  caf::actor_config config;
  return caf::make_actor<T, caf::strong_actor_ptr>(
      system.next_actor_id(), system.node(), &system, config,
      std::forward<Ts>(xs)...);
}

} // namespace rookery::bridge
