#include "tests/sim/owners.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// Any registered message with a number in it.
using number_message = service::v1::PostTweetReply;

// As many as a window, and some more wait.
constexpr std::uint64_t burst_max = 12;
// In which one that runs learns that its connection is gone.
constexpr auto moment = 50ms;

constexpr auto lapsed_category = caf::atom("lapsed");
using later_atom = caf::atom_constant<caf::atom("later")>;

bridge::address queue() { return bridge::address::queue(owners::queue_name); }

bridge::queue_declaration wanted() {
  bridge::queue_declaration result;
  result.name = queue().name();
  result.single_active_consumer = true;
  return result;
}

struct owner_state {
  std::vector<std::pair<std::uint64_t, caf::response_promise>> open;
};

// As an owner has to be: it looks at its lease before it begins and before it
// answers, and ends with it.
caf::behavior worker(caf::stateful_actor<owner_state>* self, world* outside,
                     std::weak_ptr<owners> watcher, std::size_t which,
                     std::uint64_t life, std::function<bool()> lease) {
  const auto lapsed = [=] {
    if (lease())
      return false;
    if (auto alive = watcher.lock())
      alive->lapsed();
    self->quit(caf::error{1, lapsed_category});
    return true;
  };
  return {
      [=](const number_message& x) -> caf::result<void> {
        auto promise = self->make_response_promise();
        const auto number = x.tweet_id();
        self->state.open.emplace_back(number, promise);
        if (lapsed())
          return promise;
        if (auto alive = watcher.lock())
          alive->begun(which, life, number);
        self->delayed_send(self, outside->between(0ms, 20ms), later_atom::value,
                           number);
        return promise;
      },
      [=](later_atom, std::uint64_t number) {
        if (lapsed())
          return;
        auto& open = self->state.open;
        for (auto at = open.begin(); at != open.end(); ++at)
          if (at->first == number) {
            if (auto alive = watcher.lock())
              alive->ended(which, life, number);
            at->second.deliver(caf::unit);
            open.erase(at);
            return;
          }
      },
  };
}

} // namespace

owners::owners(world& outside, std::shared_ptr<testing::broker_host> broker,
               std::shared_ptr<node_host> from,
               std::vector<std::shared_ptr<node_host>> homes, tally& effects,
               bool packs)
    : outside_{outside},
      broker_{std::move(broker)},
      from_{std::move(from)},
      effects_{effects},
      packs_{packs},
      turned_{outside.chance(2) ? 1 : -1} {
  for (auto& x : homes)
    homes_.push_back({std::move(x), {}});
}

void owners::serve(std::size_t which) {
  auto& x = homes_.at(which);
  x.running.clear();
  bridge::serve_options options;
  options.window = window;
  options.queue = wanted();
  options.priority = turned_ * static_cast<std::int32_t>(which + 1);
  x.node->network().serve(
      queue(),
      [this, &x, which, home = weak_from_this(), life = x.node->incarnation()] {
        return caf::actor_cast<caf::actor>(x.node->system().spawn(
            worker, &outside_, home, which, life, x.node->network().lease()));
      },
      options);
}

void owners::declare() {
  from_->network().declare(wanted());
  queue_ = from_->network().proxy(queue(), packed({}, packs_));
}

void owners::be_strict() {
  strict_ = true;
  for (auto& x : homes_)
    x.running.clear(); // what a worker left that ended with its lease
}

void owners::start(world::clock::duration pace) {
  running_ = true;
  send(pace);
}

void owners::send(world::clock::duration pace) {
  outside_.after(outside_.between(0ms, pace * 2), weak_from_this(),
                 [pace](owners& x) {
                   if (!x.running_)
                     return;
                   x.from_->execute([&x] {
                     for (auto n = 1 + x.outside_.draw(burst_max); n > 0; --n) {
                       number_message message;
                       message.set_tweet_id(++x.sent_);
                       caf::anon_send(x.queue_, message);
                     }
                   });
                   x.send(pace);
                 });
}

const owners::home* owners::owner() const {
  if (!broker_->up())
    return nullptr;
  const auto* found = broker_->inside()->host.find_queue(queue_name);
  if (found == nullptr)
    return nullptr;
  const auto* active = found->consumers().active();
  if (active == nullptr)
    return nullptr;
  const auto which = active->options().priority * turned_ - 1;
  return &homes_.at(static_cast<std::size_t>(which));
}

bool owners::owns(home& x, std::uint64_t number, const char* does) {
  const auto* present = owner();
  if (present == &x) {
    x.lost_at.reset();
    for (auto& other : homes_)
      if (&other != &x && !other.lost_at)
        other.lost_at = outside_.now();
    return true;
  }
  if (!x.lost_at)
    return present == nullptr; // nobody else has begun anything
  const auto& node = *x.node;
  // The broker may have made it the owner again just before it went.
  const auto since = std::max({*x.lost_at, node.woke_at(), broker_->gone_at()});
  const auto fail = [&](const std::string& why) {
    outside_.fail("I13: " + node.name() + ' ' + does + ' '
                  + std::to_string(number) + why);
  };
  if (strict_)
    fail(" though another one is the owner");
  else if (outside_.now() - since >= moment * node.slowness)
    fail(" long after another one had become the owner");
  else if (node.woke_at() > *x.lost_at && node.slept() > node.lease())
    fail(" after a sleep that was longer than its lease");
  return false;
}

void owners::begun(std::size_t which, std::uint64_t life,
                   std::uint64_t number) {
  auto& x = homes_.at(which);
  if (life != x.node->incarnation())
    return;
  const auto mine = owns(x, number, "began");
  x.running.insert(number);
  if (!mine)
    return;
  if (last_ != &x && last_ != nullptr)
    effects_.add(effect::owner_changed);
  last_ = &x;
  if (strict_)
    check_alone(x, number);
  if (began_.insert(number).second && number < highest_
      && number > excused_order_)
    outside_.fail("I4: " + std::to_string(number) + " began after "
                  + std::to_string(highest_));
  highest_ = std::max(highest_, number);
}

void owners::check_alone(const home& x, std::uint64_t number) {
  if (began_.count(number) > 0)
    outside_.fail("I13: " + std::to_string(number)
                  + " was handled again after a planned stop");
  for (const auto& other : homes_)
    if (&other != &x && !other.running.empty())
      outside_.fail("I13: " + other.node->name() + " has not ended "
                    + std::to_string(*other.running.begin()) + " when "
                    + x.node->name() + " begins " + std::to_string(number));
}

void owners::ended(std::size_t which, std::uint64_t life,
                   std::uint64_t number) {
  auto& x = homes_.at(which);
  if (life != x.node->incarnation())
    return;
  static_cast<void>(owns(x, number, "ended"));
  x.running.erase(number);
  finished_.insert(number);
}

std::uint64_t owners::missing() const {
  for (auto number = excused_ + 1; number <= sent_; ++number)
    if (finished_.count(number) == 0)
      return number;
  return 0;
}

void owners::check_complete() const {
  if (const auto number = missing(); number != 0)
    outside_.fail("I7: " + std::to_string(number) + " of "
                  + std::to_string(sent_) + " never came to an owner");
}

} // namespace rookery::sim
