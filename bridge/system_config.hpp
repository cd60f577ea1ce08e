#pragma once

#include "bridge/errc.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/policy/work_sharing.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/coordinator.hpp>

#include <mutex>

namespace rookery::bridge {

/// CAF's work sharing. In CAF 0.17.6 what is left when an actor system ends is
/// cleaned up with the lock held, and hangs when that makes work.
struct work_sharing : caf::policy::work_sharing {
  template <class Coordinator, class F>
  void foreach_central_resumable(Coordinator* self, F f) {
    auto& shared = d(self);
    for (;;) {
      caf::resumable* job = nullptr;
      {
        std::lock_guard guard{shared.lock};
        if (shared.queue.empty())
          return;
        job = shared.queue.front();
        shared.queue.pop_front();
      }
      f(job);
    }
  }
};

/// Settings for an actor system with a bridge: CAF's defaults, but that idle
/// threads wait for work instead of polling for it. What comes from the network
/// finds them idle: polling, they would come late to it, and meanwhile take the
/// processor from the thread that carries bytes. For one actor system;
/// `scheduler.policy` has no effect on it.
struct system_config : caf::actor_system_config {
  system_config() {
    load<caf::scheduler::coordinator<work_sharing>>();
    add_error_category(
        caf::atom("bridge"),
        [](std::uint8_t code, caf::atom_value, const caf::message& context) {
          auto result = to_string(static_cast<errc>(code));
          if (context.match_elements<std::string>())
            result += ": " + context.get_as<std::string>(0);
          return result;
        });
  }
};

} // namespace rookery::bridge
