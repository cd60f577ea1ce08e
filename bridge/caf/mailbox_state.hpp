#pragma once

#include <caf/abstract_actor.hpp>
#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/scheduled_actor.hpp>

namespace rookery::bridge {

/// Whether `x` takes no more messages because it ends or has ended; false of
/// actors without CAF's own mailbox, such as proxies. CAF closes the mailbox
/// before it sends back the requests in it, but after it has answered the one
/// on which the actor threw. @thread any
[[nodiscard]] inline bool mailbox_closed(const caf::actor& x) {
  auto* base = caf::actor_cast<caf::abstract_actor*>(x);
  if (auto* scheduled = dynamic_cast<caf::scheduled_actor*>(base))
    return scheduled->mailbox().closed();
  auto* blocking = dynamic_cast<caf::blocking_actor*>(base);
  return blocking != nullptr && blocking->mailbox().closed();
}

/// Whether `x` has begun all that was sent to it and waits for more, or has no
/// mailbox of CAF's. True as well while it skips what it has, as in an await.
/// @thread any
[[nodiscard]] inline bool mailbox_idle(const caf::actor& x) {
  auto* base = caf::actor_cast<caf::abstract_actor*>(x);
  if (auto* scheduled = dynamic_cast<caf::scheduled_actor*>(base))
    return scheduled->mailbox().blocked();
  auto* blocking = dynamic_cast<caf::blocking_actor*>(base);
  return blocking == nullptr || blocking->mailbox().blocked();
}

} // namespace rookery::bridge
