#include "tests/sim/probe.hpp"

#include "bridge/amqp/wire/pack.hpp"
#include "bridge/send_lost.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <string>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// Any registered message with a number in it.
using number_message = service::v1::PostTweetReply;
// Registered, and not taken at the queue.
using stranger = service::v1::PostTweetRequest;

constexpr bridge::send_options to_the_end{.how = bridge::level::done,
                                          .tell_losses = true};
constexpr bridge::send_options fire{.how = bridge::level::fire};
constexpr bridge::send_options brief{.ttl = 300ms};
// By then it is handled or never: without faults all else takes less.
constexpr auto brief_end = 600ms;
// No number of the others.
constexpr std::uint64_t brief_number = 1'000'000'000;
constexpr std::uint64_t first_fired = 2'000'000'000;

constexpr const char* dead_letters = "probe.dead";

bridge::address queue() { return bridge::address::queue(probe::queue_name); }

// Order is promised to one consumer at a time. Otherwise one that died in
// silence holds what it was sent while the next one reads on.
bridge::queue_declaration wanted() {
  bridge::queue_declaration result;
  result.name = queue().name();
  result.single_active_consumer = true;
  result.dead_letter_exchange = dead_letters;
  return result;
}

// Short enough for a run, and too many attempts for one that fails by chance.
constexpr bridge::retry_options retry{
    .attempts_max = 8,
    .immediate = 2,
    .delay = {.delay_min = 10ms, .first = 20ms, .delay_max = 100ms}};

// One in so many is poison, some of those that are followed, too.
constexpr std::uint64_t poison_interval = 31;
// On one in so many of those the handler never answers.
constexpr std::uint64_t silent_interval = 4;
// Five times what others need, if their process is not stopped.
constexpr std::chrono::milliseconds handler_timeout = 1s;
constexpr std::uint64_t stranger_interval = 40;
constexpr std::uint64_t fired_interval = 20;

using later_atom = caf::atom_constant<caf::atom("later")>;

// An answer to each costs too many events.
bool is_followed(std::uint64_t number) { return number % 8 == 0; }

// Handles of the queue.
struct handles {
  caf::actor stored;
  caf::actor to_the_end;
  caf::actor fired;
};

caf::behavior sender(caf::event_based_actor* self, std::weak_ptr<probe> home,
                     const handles& to) {
  return {[=](const number_message& x) {
            const auto number = x.tweet_id();
            self->send(number >= first_fired ? to.fired
                       : is_followed(number) ? to.to_the_end
                                             : to.stored,
                       x);
          },
          [=](const stranger& x) { self->send(to.to_the_end, x); },
          [=](const bridge::send_lost&) {
            if (auto alive = home.lock())
              alive->lost();
          }};
}

// As a handler may. Where somebody waits for the end, any other error is an
// answer. Every other poison is parked by hand, if not for its failures before.
caf::error failure(world& outside, std::uint64_t number, bool poison) {
  const auto by_hand = !poison || (number / poison_interval) % 2 == 0;
  if (!is_followed(number) && by_hand && outside.chance(3))
    return caf::make_error(poison ? bridge::errc::poison
                                  : bridge::errc::released);
  return caf::make_error(caf::sec::runtime_error);
}

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
      [=](const stranger&) {
        if (auto alive = watcher.lock())
          alive->handled_stranger();
      },
      [=](later_atom, std::uint64_t number) {
        auto& open = self->state.open;
        for (auto at = open.begin(); at != open.end(); ++at)
          if (at->first == number) {
            auto fails = outside->chance(25);
            auto poison = false;
            auto hangs = false;
            if (auto alive = watcher.lock()) {
              poison = alive->is_poison(number);
              hangs = alive->is_silent(number);
              fails = (fails && !alive->strict()) || poison;
              alive->ended(number, incarnation, fails);
            }
            if (hangs)
              return; // and keeps it for ever
            if (fails)
              at->second.deliver(failure(*outside, number, poison));
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
  options.retry = retry;
  options.handler_timeout = handler_timeout;
  options.types = {number_message::descriptor()->full_name()};
  auto who =
      to_->system().spawn(sink, &outside_, weak_from_this(), incarnation_);
  to_->actors().guard(caf::actor_cast<caf::actor>(who));
  to_->network().serve(queue(), who, options);
}

void probe::declare() {
  auto& network = from_->network();
  to_end_ = lost_ = 0;
  sender_ = from_->actors().spawn(
      sender, weak_from_this(),
      handles{network.proxy(queue(), packed({}, packs_)),
              network.proxy(queue(), packed(to_the_end, packs_)),
              network.proxy(queue(), packed(fire, packs_))});
  network.declare(bridge::exchange_declaration{.name = dead_letters});
  network.declare(wanted());
  bridge::serve_options options;
  options.window = window;
  options.bindings = {{dead_letters, ""}};
  auto park = [watcher = weak_from_this()](const number_message& x) {
    if (auto alive = watcher.lock())
      alive->parked(x.tweet_id());
  };
  auto park_stranger = [watcher = weak_from_this()](const stranger& x) {
    if (auto alive = watcher.lock())
      alive->parked_stranger(x.author());
  };
  network.serve(bridge::address::queue(parked_name), from_->actors().spawn([=] {
    return caf::behavior{park, park_stranger};
  }),
                options);
}

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
                     if (!x.strict_ && x.sent_ % poison_interval == 0) {
                       x.poison_.insert(x.sent_);
                       if (x.outside_.chance(silent_interval))
                         x.silent_.insert(x.sent_);
                     }
                     caf::anon_send(x.sender_, message);
                     x.to_end_ += is_followed(x.sent_) ? 1 : 0;
                     if (!x.strict_ && x.sent_ % fired_interval == 0) {
                       message.set_tweet_id(first_fired + x.sent_);
                       caf::anon_send(x.sender_, message);
                     }
                     if (!x.strict_ && x.sent_ % stranger_interval == 0) {
                       stranger other;
                       other.set_author(x.sent_);
                       x.strangers_due_.insert(x.sent_);
                       caf::anon_send(x.sender_, other);
                       ++x.to_end_;
                     }
                   });
                   x.send(pace);
                 });
}

void probe::send_brief() {
  brief_until_ = outside_.now() + brief_end;
  from_->execute([this] {
    number_message message;
    message.set_tweet_id(brief_number);
    for (int i = 0; i < 3; ++i)
      caf::anon_send(from_->network().proxy(queue(), brief), message);
  });
}

void probe::begun(std::uint64_t number, std::uint64_t incarnation) {
  if (number == brief_number) {
    if (outside_.now() > brief_until_)
      outside_.fail("ttl: a message was handled when its time was over");
    return;
  }
  if (number >= first_fired) // which may be lost, and is not told
    return effects_.add(effect::fired_arrived);
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
  const auto now = outside_.now();
  const auto [other, alone] = running_here_.emplace(number, now);
  if (!alone && !is_late(other->second))
    outside_.fail("dedupe: " + std::to_string(number)
                  + " is handled twice at once");
  other->second = now;
  if (running_here_.size() > window)
    outside_.fail("I6: more deliveries in the target than its window");
}

void probe::ended(std::uint64_t number, std::uint64_t incarnation,
                  bool failed) {
  if (incarnation != incarnation_ || number >= first_fired)
    return;
  const auto late =
      running_here_.contains(number) && is_late(running_here_.at(number));
  running_here_.erase(number);
  if (failed) {
    if (!is_poison(number))
      effects_.add(effect::handler_failed);
    else if (is_silent(number))
      effects_.add(effect::handler_hung);
    return;
  }
  finished_.insert(number);
  if (!late) // else nobody heard its answer
    finished_here_.insert(number);
}

// Who sleeps so long may wake with what it was given before in a mailbox.
bool probe::is_late(world::clock::time_point begun) const {
  constexpr auto most = handler_timeout / 2;
  return outside_.now() - begun >= most
         || (to_->slept() >= most && begun - to_->woke_at() < most);
}

void probe::parked(std::uint64_t number) {
  if (number == brief_number)
    return; // its time was over
  if (!is_poison(number))
    outside_.fail("I10: " + std::to_string(number)
                  + ", which is no poison, was parked");
  if (!parked_.insert(number).second)
    outside_.fail("I10: " + std::to_string(number) + " was parked twice");
  effects_.add(effect::poison_parked);
}

void probe::handled_stranger() {
  outside_.fail("I10: a message that is not on the list was handled");
}

bool probe::arrived(std::uint64_t number) const {
  return is_poison(number) ? parked_.count(number) > 0
                           : finished_.count(number) > 0;
}

std::pair<std::uint64_t, std::uint64_t> probe::ends() const {
  const auto done = from_->up() ? from_->network().counters().done : 0;
  return {done + lost_, to_end_};
}

bool probe::complete() const {
  if (const auto [ended, all] = ends(); ended != all)
    return false;
  for (auto number = excused_ + 1; number <= sent_; ++number)
    if (!arrived(number))
      return false;
  return strangers_due_.empty();
}

void probe::check_complete() const {
  for (auto number = excused_ + 1; number <= sent_; ++number)
    if (!arrived(number))
      return outside_.fail(
          "I7: " + std::to_string(number) + " of " + std::to_string(sent_)
          + (is_poison(number) ? " was never parked" : " never arrived"));
  if (const auto [ended, all] = ends(); ended != all)
    outside_.fail("ends: of " + std::to_string(all) + " sends "
                  + std::to_string(ended) + " were told to have ended");
  else if (!complete())
    outside_.fail("I10: what is not on the list was never parked");
}

} // namespace rookery::sim
