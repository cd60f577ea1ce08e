#include "testing/node_worker.hpp"

#include <utility>

namespace rookery::testing {

namespace {

using namespace std::chrono_literals;

} // namespace

void node_worker::post(std::function<void()> f) {
  if (!alive_)
    return;
  outside_.after(outside_.between(50us, 3ms), std::weak_ptr{alive_},
                 [f = std::move(f)](node_worker& x) {
                   if (auto who = x.self_.lock())
                     who->execute([weak = std::weak_ptr{x.alive_}, f] {
                       if (weak.lock())
                         f();
                     });
                 });
}

} // namespace rookery::testing
