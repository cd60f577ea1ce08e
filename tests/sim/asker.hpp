#pragma once

#include "bridge/address.hpp"
#include "bridge/errc.hpp"
#include "tests/sim/node_host.hpp"

#include <caf/all.hpp>

#include <utility>

namespace rookery::sim {

/// Asks whoever serves `whom`, from `self`. `then` gets what came back: the
/// reply, or an error; the bridge sees to it that one of them comes. Nothing
/// comes when `self` crashes before.
template <class Reply, class Request, class Then>
void ask(node_host& self, const bridge::address& whom, Request request,
         Then then) {
  auto tell = [then = std::move(then), who = self.weak_from_this(),
               n = self.incarnation()](caf::expected<Reply> x) {
    auto alive = who.lock();
    if (!alive || !alive->up() || alive->incarnation() != n)
      return;
    if (!x && x.error() == bridge::errc::expired)
      alive->outside().fail("a request without a time to live expired");
    then(std::move(x));
  };
  self.actors().spawn([target = self.network().proxy(whom),
                       request = std::move(request),
                       tell](caf::event_based_actor* asker) {
    asker->request(target, caf::infinite, request)
        .then([=](Reply& x) { tell(std::move(x)); },
              [=](caf::error& x) { tell(std::move(x)); });
  });
}

} // namespace rookery::sim
