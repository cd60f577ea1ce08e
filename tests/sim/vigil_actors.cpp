#include "tests/sim/vigil_actors.hpp"

#include <string>
#include <utility>

namespace rookery::sim {

namespace {

constexpr auto kin_category = caf::atom("kin");

using left_atom = caf::atom_constant<caf::atom("left")>;

caf::response_promise passed_on(caf::response_promise promise,
                                const caf::actor& to, const number_message& x) {
  promise.delegate(to, x);
  return promise;
}

void ask(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
         std::uint64_t question, caf::duration time, const caf::actor& whom) {
  const auto end = [=](std::uint64_t answer) {
    if (auto alive = watcher.lock())
      alive->answered(question, answer);
  };
  self->request(whom, time, number(question))
      .then([=](const number_message& x) { end(x.tweet_id()); },
            [=](const caf::error&) { end(0); });
}

// Is told as `monitor` by the end of whom it is linked to.
void link(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
          std::uint64_t monitor, const caf::actor& whom) {
  self->set_exit_handler([=](const caf::exit_msg& x) {
    if (auto alive = watcher.lock())
      alive->down(monitor, x.reason);
    self->quit();
  });
  self->link_to(whom);
}

} // namespace

number_message number(std::uint64_t x) {
  number_message result;
  result.set_tweet_id(x);
  return result;
}

caf::behavior deputy() {
  return {[](const number_message& x) { return x; }};
}

caf::behavior mortal(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
                     std::uint64_t me, const caf::actor& desk,
                     const caf::actor& other) {
  const auto last =
      caf::error{1, mortal_category, caf::make_message(std::to_string(me))};
  self->set_exit_handler([=](const caf::exit_msg& x) {
    const auto along = x.reason.category() == kin_category;
    if (auto alive = watcher.lock(); alive && along)
      alive->taken_along(me);
    self->quit(along ? last : x.reason);
  });
  return {[=](const number_message& x) -> caf::result<number_message> {
    auto alive = watcher.lock();
    if (x.tweet_id() == 0)
      self->send(desk, number(me));
    else if (alive && alive->delegates())
      return passed_on(self->make_response_promise(), other, x);
    if (alive && alive->dies(me))
      self->quit(last);
    return number((me << question_bits) | x.tweet_id());
  }};
}

caf::behavior mourner(caf::event_based_actor* self,
                      std::weak_ptr<vigil> watcher) {
  self->set_down_handler([=](const caf::down_msg& x) {
    if (auto alive = watcher.lock())
      alive->down(0, x.reason);
  });
  return {
      [=](const number_message& x) {
        if (auto alive = watcher.lock())
          alive->told(x.tweet_id());
      },
      [=](caf::atom_value, const caf::actor& whom) { self->monitor(whom); },
      [=](const caf::actor& whom, std::uint64_t question, caf::duration time) {
        ask(self, watcher, question, time, whom);
      }};
}

caf::behavior relative(caf::event_based_actor* self,
                       std::weak_ptr<vigil> watcher, std::uint64_t monitor,
                       const caf::actor& whom) {
  link(self, watcher, monitor, whom);
  // Who is linked is not held by that.
  return {[me = caf::actor{self}](caf::unit_t) {}};
}

caf::behavior fickle(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
                     std::uint64_t monitor, const caf::actor& whom,
                     std::chrono::microseconds time) {
  self->set_down_handler([=](const caf::down_msg& x) {
    if (auto alive = watcher.lock())
      alive->down(monitor, x.reason);
    self->quit();
  });
  self->monitor(whom);
  self->delayed_send(self, time, caf::unit);
  return {[=, me = caf::actor{self}](caf::unit_t) {
            self->demonitor(whom);
            if (auto alive = watcher.lock())
              alive->taken_back(monitor);
            // Behind what may be in the mailbox already.
            self->send(self, left_atom::value);
          },
          [=](left_atom) {
            if (auto alive = watcher.lock())
              alive->left(monitor);
            // Lives on, and must not be told.
          }};
}

caf::behavior kin(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
                  std::uint64_t monitor, const caf::actor& whom,
                  std::chrono::microseconds time) {
  link(self, watcher, monitor, whom);
  self->delayed_send(self, time, caf::unit);
  return {[=, me = caf::actor{self}](caf::unit_t) {
    if (auto alive = watcher.lock())
      alive->taken_back(monitor);
    self->quit(caf::error{1, kin_category});
  }};
}

caf::behavior bystander(caf::event_based_actor* self,
                        std::weak_ptr<vigil> watcher, std::uint64_t life,
                        const caf::actor& whom) {
  auto told = std::make_shared<bool>(false);
  self->set_down_handler([=](const caf::down_msg& x) {
    if (auto alive = watcher.lock())
      alive->third_told(life, std::exchange(*told, true), x.reason);
  });
  self->monitor(whom);
  return {[me = caf::actor{self}](caf::unit_t) {}};
}

} // namespace rookery::sim
