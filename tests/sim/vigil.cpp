#include "tests/sim/vigil.hpp"

#include "bridge/caf/encoding.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <string>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// Any registered message with a number in it.
using number_message = service::v1::PostTweetReply;

constexpr auto mortal_category = caf::atom("mortal");

// One in so many messages is the last that an actor handles.
constexpr std::uint32_t deadly = 12;

bridge::address queue() { return bridge::address::queue(vigil::queue_name); }
bridge::address desk() { return bridge::address::queue(vigil::desk_name); }

number_message number(std::uint64_t x) {
  number_message result;
  result.set_tweet_id(x);
  return result;
}

caf::behavior mortal(caf::event_based_actor* self, std::weak_ptr<vigil> watcher,
                     std::uint64_t me, const caf::actor& at) {
  return {[=](const number_message&) {
    self->send(at, number(me));
    auto alive = watcher.lock();
    if (alive && alive->dies())
      self->quit(caf::error{1, mortal_category,
                            caf::make_message(std::to_string(me))});
  }};
}

// Serves the desk, and is told of ends as the actor there.
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
      [=](caf::atom_value, const caf::actor& whom) { self->monitor(whom); }};
}

} // namespace

void vigil::serve() {
  bridge::serve_options options;
  options.window = window;
  auto make = [x = weak_from_this(), &host = *to_] {
    auto alive = x.lock();
    return alive ? host.system().spawn(mortal, x, alive->born(),
                                       host.network().proxy(desk()))
                 : caf::actor{};
  };
  to_->network().serve(queue(), make, options);
}

void vigil::declare() {
  auto& network = from_->network();
  network.declare(bridge::queue_declaration{.name = queue().name()});
  bridge::serve_options options;
  options.window = window;
  watcher_ = from_->actors().spawn(mourner, weak_from_this());
  network.serve(desk(), watcher_, options);
}

void vigil::start(world::clock::duration pace) {
  running_ = true;
  from_->execute([this] { watch(); });
  work(pace);
}

void vigil::watch() {
  const auto proxy = from_->network().proxy(queue());
  open_.insert(0);
  caf::anon_send(watcher_, caf::atom("watch"), proxy);
  const auto other = ++monitors_;
  open_.insert(other);
  caf::actor_cast<caf::abstract_actor*>(proxy)->attach_functor(
      [x = weak_from_this(), other](const caf::error& why) {
        if (auto alive = x.lock())
          alive->down(other, why);
      });
}

void vigil::work(world::clock::duration pace) {
  outside_.after(outside_.between(0ms, pace * 2), weak_from_this(),
                 [pace](vigil& x) {
                   if (!x.running_)
                     return;
                   x.send();
                   x.work(pace);
                 });
}

void vigil::send() {
  from_->execute(
      [this] { caf::anon_send(from_->network().proxy(queue()), number(0)); });
}

bool vigil::dies() { return finishing_ || outside_.chance(deadly); }

void vigil::told(std::uint64_t actor) {
  if (ended_.count(actor) > 0)
    outside_.fail("I12: " + std::to_string(actor)
                  + " was told to have ended before all it told came");
}

void vigil::down(std::uint64_t monitor, const caf::error& why) {
  if (open_.erase(monitor) == 0)
    outside_.fail("I12: monitor " + std::to_string(monitor)
                  + " was told twice");
  if (monitor != 0)
    return;
  if (why.category() == mortal_category) {
    effects_.add(effect::end_told);
    ended_.insert(std::stoull(bridge::text_of(why)));
  }
  // Not at once: until there is another, it would be told of this one again.
  outside_.after(outside_.between(100ms, 700ms), weak_from_this(),
                 [](vigil& x) {
                   if (!x.finishing_ && x.from_->up())
                     x.from_->execute([&x] { x.watch(); });
                 });
}

void vigil::finish() {
  finishing_ = true;
  send();
}

bool vigil::complete() const {
  return open_.empty() && from_->up() && to_->up()
         && from_->network().counters().watches == 0
         && to_->network().counters().watchers == 0;
}

void vigil::check_complete() const {
  if (!complete())
    outside_.fail("I12: " + std::to_string(open_.size())
                  + " monitors were never told, or not forgotten");
}

} // namespace rookery::sim
