#include "tests/sim/gauge.hpp"

#include "bridge/send_lost.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// Any registered message with a number in it.
using number_message = service::v1::PostTweetReply;

// More than the send queue of its node takes.
constexpr std::uint64_t burst_max = 10;

constexpr bridge::send_options drop_oldest{
    .tell_losses = true, .when_full = bridge::overflow::drop_oldest};
constexpr bridge::send_options drop_newest{.when_full =
                                               bridge::overflow::drop_newest};

// Order is promised to one consumer at a time.
bridge::queue_declaration queue(gauge::policy how) {
  bridge::queue_declaration result;
  result.name = how == gauge::oldest ? "gauge.oldest" : "gauge.newest";
  result.single_active_consumer = true;
  return result;
}

bridge::address address(gauge::policy how) {
  return bridge::address::queue(queue(how).name);
}

caf::behavior sender(caf::event_based_actor* self, std::weak_ptr<gauge> home,
                     const caf::actor& to_oldest, const caf::actor& to_newest) {
  return {[=](const number_message& x) {
            self->send(to_oldest, x);
            self->send(to_newest, x);
          },
          [=](const bridge::send_lost& x) {
            if (auto alive = home.lock())
              alive->lost(x.what.get_as<number_message>(0).tweet_id(),
                          x.why == bridge::errc::queue_full);
          }};
}

} // namespace

bool gauge::serves(const std::string& name) {
  return name == queue(oldest).name || name == queue(newest).name;
}

void gauge::serve() {
  incarnation_ = to_->incarnation();
  for (const auto how : {oldest, newest}) {
    series_.at(how).came_here.clear();
    bridge::serve_options options;
    options.window = window;
    options.queue = queue(how);
    auto sink = [home = weak_from_this(), how, n = incarnation_] {
      return caf::behavior{[=](const number_message& x) {
        if (auto alive = home.lock())
          alive->came(how, x.tweet_id(), n);
      }};
    };
    to_->network().serve(address(how), to_->actors().spawn(sink), options);
  }
}

void gauge::declare() {
  auto& network = from_->network();
  for (const auto how : {oldest, newest}) {
    network.declare(queue(how));
    series_.at(how).highest = 0;
  }
  // The last process took what it had with it.
  first_ = sent_ + 1;
  excuse_all();
  sender_ = from_->actors().spawn(
      sender, weak_from_this(),
      network.proxy(address(oldest), packed(drop_oldest, packs_)),
      network.proxy(address(newest), packed(drop_newest, packs_)));
}

void gauge::start(world::clock::duration pace) {
  running_ = true;
  work(pace);
}

void gauge::work(world::clock::duration pace) {
  outside_.after(outside_.between(0ms, pace * 2), weak_from_this(),
                 [pace](gauge& x) {
                   if (!x.running_)
                     return;
                   if (x.from_->up() && !x.from_->paused())
                     x.send();
                   x.work(pace);
                 });
}

void gauge::send() {
  from_->execute([this] {
    for (auto left = 1 + outside_.draw(burst_max); left > 0; --left) {
      number_message message;
      message.set_tweet_id(++sent_);
      caf::anon_send(sender_, message);
    }
  });
}

void gauge::excuse_all() {
  excused_ = sent_;
  dropped_then_ = from_->up() ? from_->network().counters().dropped : 0;
}

void gauge::came(policy how, std::uint64_t number, std::uint64_t incarnation) {
  if (incarnation != incarnation_)
    return;
  auto& of = series_.at(how);
  if (!of.came_here.insert(number).second)
    outside_.fail("dedupe: " + queue(how).name + " got "
                  + std::to_string(number) + " twice");
  if (how == oldest && told_.count(number) > 0)
    outside_.fail("drop: " + std::to_string(number)
                  + " came, and was told to have been dropped");
  if (!of.came.insert(number).second || number < first_)
    return; // again, or what a process that is gone left on its way
  if (number < of.highest)
    outside_.fail("I4: " + queue(how).name + " got " + std::to_string(number)
                  + " after " + std::to_string(of.highest));
  of.highest = number;
}

void gauge::lost(std::uint64_t number, bool dropped) {
  if (!dropped) {
    lost_.insert(number);
    return;
  }
  effects_.add(effect::oldest_dropped);
  if (!told_.insert(number).second)
    outside_.fail("drop: " + std::to_string(number)
                  + " was told to have been dropped twice");
  if (series_.at(oldest).came.count(number) > 0)
    outside_.fail("drop: " + std::to_string(number)
                  + " was told to have been dropped, and had come");
}

std::string gauge::missing() const {
  if (!from_->up())
    return "its sender is not there";
  if (sent_ > excused_ && told_.count(sent_) > 0)
    return "the last one was dropped for an older one";
  // What was dropped is counted together.
  auto dropped = from_->network().counters().dropped - dropped_then_;
  std::uint64_t absent = 0;
  for (auto x = excused_ + 1; x <= sent_; ++x) {
    if (told_.count(x) > 0)
      --dropped;
    else if (series_.at(oldest).came.count(x) + lost_.count(x) == 0)
      return std::to_string(x) + " neither came nor was told to be dropped";
    absent += 1 - series_.at(newest).came.count(x);
  }
  if (absent > dropped)
    return std::to_string(absent) + " never came, and "
           + std::to_string(dropped) + " were dropped";
  return {};
}

void gauge::check_complete() const {
  if (const auto what = missing(); !what.empty())
    outside_.fail("drop: " + what);
}

} // namespace rookery::sim
