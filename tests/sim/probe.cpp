#include "tests/sim/probe.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <string>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// Any registered message with a number in it.
using number_message = service::v1::PostTweetReply;

bridge::address queue() { return bridge::address::queue(probe::queue_name); }

// Order is promised to one consumer at a time. Otherwise one that died in
// silence holds what it was sent while the next one reads on.
bridge::queue_declaration wanted() {
  bridge::queue_declaration result;
  result.name = queue().name();
  result.single_active_consumer = true;
  return result;
}

using later_atom = caf::atom_constant<caf::atom("later")>;

struct sink_state {
  std::vector<std::pair<std::uint64_t, caf::response_promise>> open;
};

caf::behavior sink(caf::stateful_actor<sink_state>* self, world* outside,
                   std::weak_ptr<probe> watcher, std::uint64_t incarnation) {
  return {
      [=](const number_message& x) -> caf::result<void> {
        if (auto alive = watcher.lock())
          alive->begun(x.tweet_id(), incarnation);
        auto promise = self->make_response_promise();
        self->state.open.emplace_back(x.tweet_id(), promise);
        auto time = outside->chance(20) ? outside->between(50ms, 200ms)
                                        : outside->between(0ms, 10ms);
        self->delayed_send(self, time, later_atom::value, x.tweet_id());
        return promise;
      },
      [=](later_atom, std::uint64_t number) {
        auto& open = self->state.open;
        for (auto at = open.begin(); at != open.end(); ++at)
          if (at->first == number) {
            auto fails = outside->chance(25);
            if (auto alive = watcher.lock()) {
              fails = fails && !alive->strict();
              alive->ended(number, incarnation, fails);
            }
            if (fails)
              at->second.deliver(caf::make_error(caf::sec::runtime_error));
            else
              at->second.deliver(caf::unit);
            open.erase(at);
            return;
          }
      },
  };
}

} // namespace

void probe::serve() {
  incarnation_ = to_->incarnation();
  finished_here_.clear();
  running_here_.clear();
  bridge::serve_options options;
  options.window = window;
  options.queue = wanted();
  auto who =
      to_->system().spawn(sink, &outside_, weak_from_this(), incarnation_);
  to_->actors().guard(caf::actor_cast<caf::actor>(who));
  to_->network().serve(queue(), who, options);
}

void probe::declare() { from_->network().declare(wanted()); }

void probe::start(world::clock::duration pace) {
  running_ = true;
  send(pace);
}

void probe::send(world::clock::duration pace) {
  outside_.after(outside_.between(0ms, pace * 2), weak_from_this(),
                 [pace](probe& x) {
                   if (!x.running_)
                     return;
                   x.from_->execute([&x] {
                     number_message message;
                     message.set_tweet_id(++x.sent_);
                     caf::anon_send(x.from_->network().proxy(queue()), message);
                   });
                   x.send(pace);
                 });
}

void probe::begun(std::uint64_t number, std::uint64_t incarnation) {
  if (incarnation != incarnation_)
    return;
  if (began_.insert(number).second) {
    if (number < highest_)
      outside_.fail("I4: " + std::to_string(number) + " began after "
                    + std::to_string(highest_));
    highest_ = number;
  } else if (strict_) {
    outside_.fail("I13: " + std::to_string(number)
                  + " was handled again after a planned stop");
  }
  if (finished_here_.count(number) > 0)
    outside_.fail("dedupe: " + std::to_string(number)
                  + " was handled again after it finished");
  if (!running_here_.insert(number).second)
    outside_.fail("dedupe: " + std::to_string(number)
                  + " is handled twice at once");
  if (running_here_.size() > window)
    outside_.fail("I6: more deliveries in the target than its window");
}

void probe::ended(std::uint64_t number, std::uint64_t incarnation,
                  bool failed) {
  if (incarnation != incarnation_)
    return;
  running_here_.erase(number);
  if (failed)
    return effects_.add(effect::handler_failed);
  finished_.insert(number);
  finished_here_.insert(number);
}

bool probe::complete() const {
  for (auto number = excused_ + 1; number <= sent_; ++number)
    if (finished_.count(number) == 0)
      return false;
  return true;
}

void probe::check_complete() const {
  for (auto number = excused_ + 1; number <= sent_; ++number)
    if (finished_.count(number) == 0)
      return outside_.fail("I7: " + std::to_string(number) + " of "
                           + std::to_string(sent_) + " never arrived");
}

} // namespace rookery::sim
