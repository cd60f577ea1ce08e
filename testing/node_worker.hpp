#pragma once

#include "bridge/environment.hpp"
#include "testing/host.hpp"

#include <functional>
#include <memory>

namespace rookery::testing {

/// A thread of a simulated process, for what may block: each function takes its
/// time, and nothing of a process that is paused or gone runs.
class node_worker final : public bridge::worker {
public:
  node_worker(std::weak_ptr<host> self, world& outside)
      : self_{std::move(self)},
        outside_{outside} {}
  ~node_worker() override { node_worker::stop(); }

  void post(std::function<void()> f) override;
  void stop() override { alive_.reset(); }

private:
  std::weak_ptr<host> self_;
  world& outside_;
  // Tells events that it is still there; owns nothing.
  std::shared_ptr<node_worker> alive_{this, [](node_worker*) {}};
};

} // namespace rookery::testing
