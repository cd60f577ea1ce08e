#include "tests/sim/spiller.hpp"

#include "bridge/send_lost.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <string>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// Any registered message with a number in it.
using number_message = service::v1::PostTweetReply;

constexpr int burst = 8;
constexpr auto tick_time = 50ms;
// After so many the file has it, or its loss was told.
constexpr std::uint64_t safe_ticks = 6;

bridge::address queue() { return bridge::address::queue(spiller::queue_name); }

// Order is promised to one consumer at a time.
bridge::queue_declaration wanted() {
  bridge::queue_declaration result;
  result.name = queue().name();
  result.single_active_consumer = true;
  return result;
}

constexpr bridge::send_options spilling{.tell_losses = true,
                                        .when_full = bridge::overflow::spill};

caf::behavior sender(caf::event_based_actor* self, std::weak_ptr<spiller> home,
                     const caf::actor& to) {
  return {[=](const number_message& x) {
            auto alive = home.lock();
            if (alive && alive->takes([&] { self->send(to, x); }))
              alive->took(x.tweet_id());
          },
          [=](const bridge::send_lost& x) {
            // Closed is what a process says to itself as it ends: the file has
            // it, and the next one sends it.
            if (auto alive = home.lock();
                alive && x.why != bridge::errc::closed)
              alive->lost(x.what.get_as<number_message>(0).tweet_id());
          }};
}

} // namespace

void spiller::serve() {
  incarnation_ = to_->incarnation();
  came_here_.clear();
  bridge::serve_options options;
  options.window = window;
  options.queue = wanted();
  auto sink = [home = weak_from_this(), n = incarnation_] {
    return caf::behavior{[=](const number_message& x) {
      if (auto alive = home.lock())
        alive->came(x.tweet_id(), n);
    }};
  };
  to_->network().serve(queue(), to_->actors().spawn(sink), options);
}

void spiller::declare() {
  from_->network().declare(wanted());
  const auto left = from_->network().counters().spilled;
  if (from_->kept_spill(life_)) {
    effects_.add(effect::spill_kept, left);
  } else {
    // What the last process took in its last moments was perhaps not written.
    std::erase_if(due_, [this](const auto& x) {
      return x.second.life == life_
             && (from_->spill_in_memory_max > 0
                 || x.second.ticks + safe_ticks > ticks_);
    });
    first_ = sent_ + 1;
    effects_.add(effect::spill_inherited, left);
  }
  life_ = from_->incarnation();
  sender_ = from_->actors().spawn(
      sender, weak_from_this(),
      from_->network().proxy(queue(), packed(spilling, packs_)));
  if (running_)
    tick();
}

void spiller::tick() {
  outside_.after(tick_time, weak_from_this(), [n = life_](spiller& x) {
    x.from_->execute([&x, n] {
      if (!x.running_ || !x.from_->up() || x.from_->incarnation() != n)
        return;
      ++x.ticks_;
      x.tick();
    });
  });
}

void spiller::start(world::clock::duration pace) {
  running_ = true;
  tick();
  work(pace);
}

void spiller::work(world::clock::duration pace) {
  // So that some are on their way to the file when a bridge lets go of it.
  const auto now = from_->stopping() ? pace / 20 : pace;
  outside_.after(outside_.between(0ms, now * 2), weak_from_this(),
                 [pace](spiller& x) {
                   if (!x.running_)
                     return;
                   // Now and then more than there is room for in memory.
                   const auto count = x.outside_.chance(8) ? burst : 1;
                   for (auto i = 0; i < count; ++i)
                     if (x.from_->up() && !x.from_->paused())
                       x.send();
                   x.work(pace);
                 });
}

void spiller::send() {
  from_->execute([this] {
    number_message message;
    message.set_tweet_id(++sent_);
    caf::anon_send(sender_, message);
  });
}

bool spiller::takes(const std::function<void()>& send) const {
  if (!from_->up()) // its actors end after its bridge
    return false;
  const auto refused = from_->network().counters().closed;
  send();
  return from_->network().counters().closed == refused;
}

void spiller::came(std::uint64_t number, std::uint64_t incarnation) {
  if (incarnation != incarnation_)
    return;
  due_.erase(number);
  if (!came_here_.insert(number).second)
    outside_.fail("dedupe: " + std::to_string(number)
                  + " came from a spill twice");
  // What a process had in memory only may be on its way when it is gone.
  // What the broker lost once may be sent again by who knows of no outcome.
  if (!came_.insert(number).second || lost_.count(number) > 0
      || number <= excused_
      || (from_->spill_in_memory_max > 0 && number < first_))
    return;
  if (number < highest_)
    outside_.fail("I4: " + std::to_string(number) + " came from a spill after "
                  + std::to_string(highest_));
  highest_ = number;
}

void spiller::lost(std::uint64_t number) {
  due_.erase(number);
  lost_.insert(number);
}

bool spiller::complete() const {
  return due_.empty() && from_->up()
         && from_->network().counters().spilled == 0;
}

void spiller::check_complete() const {
  if (!due_.empty())
    outside_.fail("I7: " + std::to_string(due_.begin()->first) + " of "
                  + std::to_string(sent_) + " never came from the spill");
  else if (!complete())
    outside_.fail("I7: the spill was never empty");
}

} // namespace rookery::sim
