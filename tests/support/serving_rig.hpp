#pragma once

#include "bridge/caf/served_address.hpp"
#include "tests/support/bridge_rig.hpp"

namespace rookery::tests {

/// A bridge_rig with one served address, "q".
struct serving_rig : bridge_rig {
  using bridge_rig::bridge_rig;
  bridge::served_address& serve(caf::actor target,
                                bridge::serve_options options = {},
                                std::function<caf::actor()> make = nullptr) {
    served = bridge::make_local_proxy<bridge::served_address>(
        world.system(), home, std::string{"q"}, options, target, make);
    auto& result = *static_cast<bridge::served_address*>(served->get());
    result.start();
    return result;
  }
  ~serving_rig() {
    if (served)
      static_cast<bridge::served_address*>(served->get())->release();
  }
  std::vector<bridge::envelope> replies() { return take(*home->replies); }

  caf::strong_actor_ptr served;
};

} // namespace rookery::tests
