#pragma once

#include <caf/actor_addr.hpp>
#include <caf/default_attachable.hpp>

namespace rookery::bridge {

namespace detail {

// CAF 0.17.6 tells nobody who monitors. The standard lets an explicit
// instantiation name a private member, and a friend hand it on.
template <caf::actor_addr caf::default_attachable::*Observer>
struct observer_access {
  friend const caf::actor_addr& observer_in(const caf::default_attachable& x) {
    return x.*Observer;
  }
};
const caf::actor_addr& observer_in(const caf::default_attachable& x);
template struct observer_access<&caf::default_attachable::observer_>;

} // namespace detail

/// The actor that is told by `x`, of a monitor or a link; null of anything
/// else that was attached.
[[nodiscard]] inline caf::actor_addr observer_of(const caf::attachable& x) {
  const auto* known = dynamic_cast<const caf::default_attachable*>(&x);
  return known == nullptr ? caf::actor_addr{} : detail::observer_in(*known);
}

} // namespace rookery::bridge
