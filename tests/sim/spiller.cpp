#include "tests/sim/spiller.hpp"

#include "bridge/send_lost.hpp"
#include "bridge/send_ready.hpp"

#include "rookery/service/v1/tweet.pb.h"

#include <caf/all.hpp>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// Any registered message with a number and a text in it.
using number_message = service::v1::PostTweetRequest;

constexpr auto lanes = {spiller::direct, spiller::bound};
constexpr const char* exchange = "spilled.exchange";

constexpr int burst = 8;
constexpr auto tick_time = 50ms;
// After so many the file has it, or its loss was told.
constexpr std::uint64_t safe_ticks = 6;

// Some of these are behind others that stay.
constexpr std::uint64_t brief_interval = 3;
constexpr auto brief_time = 250ms;
// By then one is handled or never, where bytes do not come late.
constexpr auto brief_end = 750ms;
// So many have a text, of so many bytes.
constexpr std::uint64_t long_interval = 5;
constexpr std::uint64_t long_min = 1'000;
constexpr std::uint64_t long_max = 8'000;
// One in so many of those is cut off as soon as it is seen under way.
constexpr std::uint64_t cut_interval = 6;
constexpr int looks_max = 20;
constexpr auto look_time = 300us;

// Every so many the sender asks to be told when there is room.
constexpr std::uint64_t ready_interval = 4;

// Order is promised to one consumer at a time.
bridge::queue_declaration queue(spiller::lane to) {
  bridge::queue_declaration result;
  result.name = to == spiller::direct ? "spilled" : "spilled.bound";
  result.single_active_consumer = true;
  return result;
}

bridge::address address(spiller::lane to) {
  return to == spiller::direct ? bridge::address::queue(queue(to).name)
                               : bridge::address::exchange(exchange, "");
}

constexpr bridge::send_options spilling{.tell_losses = true,
                                        .when_full = bridge::overflow::spill};
constexpr bridge::send_options brief{.ttl = brief_time,
                                     .tell_losses = true,
                                     .when_full = bridge::overflow::spill};

// Handles of one lane.
struct handles {
  caf::actor lasting;
  caf::actor brief;
};

caf::behavior sender(caf::event_based_actor* self, std::weak_ptr<spiller> home,
                     const std::array<handles, 2>& to) {
  return {[=](spiller::lane where, const number_message& x) {
            const auto number = x.author();
            auto alive = home.lock();
            if (!alive)
              return;
            const auto& which = to.at(where);
            if (alive->takes([&] {
                  self->send(
                      alive->is_brief(number) ? which.brief : which.lasting, x);
                }))
              alive->took(where, number);
          },
          [=](const bridge::send_ready& x) {
            auto alive = home.lock();
            for (auto where : lanes)
              if (alive && x.to == to_string(address(where)))
                alive->ready(where);
          },
          [=](const bridge::send_lost& x) {
            // Closed is what a process says to itself as it ends: the file has
            // it, and the next one sends it.
            if (auto alive = home.lock();
                alive && x.why != bridge::errc::closed)
              alive->lost(x.what.get_as<number_message>(0).author(), x.why);
          }};
}

} // namespace

spiller::spiller(world& outside, std::shared_ptr<node_host> from,
                 std::shared_ptr<node_host> to, tally& effects, bool packs)
    : outside_{outside},
      from_{std::move(from)},
      to_{std::move(to)},
      effects_{effects},
      packs_{packs},
      briefs_{outside.chance(2)},
      both_{outside.chance(2)},
      long_{outside.chance(2) ? long_min + outside.draw(long_max - long_min)
                              : 0} {}

bool spiller::serves(const std::string& name) {
  return name == queue(direct).name || name == queue(bound).name;
}

void spiller::serve() {
  incarnation_ = to_->incarnation();
  came_here_.clear();
  auto& network = to_->network();
  network.declare(bridge::exchange_declaration{.name = exchange});
  for (auto where : lanes) {
    bridge::serve_options options;
    options.window = window;
    options.queue = queue(where);
    if (where == bound)
      options.bindings = {{exchange, ""}};
    auto sink = [home = weak_from_this(), where, n = incarnation_] {
      return caf::behavior{[=](const number_message& x) {
        if (auto alive = home.lock())
          alive->came(where, x.author(), x.text(), n);
      }};
    };
    network.serve(bridge::address::queue(options.queue->name),
                  to_->actors().spawn(sink), options);
  }
}

void spiller::declare() {
  auto& network = from_->network();
  // Not what is bound to the exchange: until that is there all waits here.
  network.declare(queue(direct));
  network.declare(bridge::exchange_declaration{.name = exchange});
  const auto left = network.counters().spilled;
  if (from_->kept_spill(life_)) {
    effects_.add(effect::spill_kept, left);
  } else {
    // What the last process took in its last moments was perhaps not written.
    std::erase_if(due_, [this](const auto& x) {
      const auto& taken = taken_.at(x);
      return taken.life == life_
             && (from_->spill_in_memory_max > 0
                 || taken.ticks + safe_ticks > ticks_);
    });
    first_ = sent_ + 1;
    effects_.add(effect::spill_inherited, left);
  }
  life_ = from_->incarnation();
  waits_.clear();
  std::array<handles, 2> to;
  for (auto where : lanes)
    to.at(where) = {network.proxy(address(where), packed(spilling, packs_)),
                    network.proxy(address(where), packed(brief, packs_))};
  sender_ = from_->actors().spawn(sender, weak_from_this(), to);
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
    message.set_author(++sent_);
    message.set_text(text_of(sent_));
    const auto to = both_ && outside_.chance(2) ? bound : direct;
    caf::anon_send(sender_, to, message);
  });
}

bool spiller::is_brief(std::uint64_t number) const {
  return briefs_ && number % brief_interval == 0;
}

std::string spiller::text_of(std::uint64_t number) const {
  return number % long_interval == 0
             ? std::string(long_, static_cast<char>('a' + number % 26))
             : std::string{};
}

bool spiller::takes(const std::function<void()>& send) const {
  if (!from_->up()) // its actors end after its bridge
    return false;
  const auto refused = from_->network().counters().closed;
  send();
  return from_->network().counters().closed == refused;
}

void spiller::took(lane to, std::uint64_t number) {
  taken_[number] = {life_, ticks_, outside_.now(), outside_.set_back()};
  if (!is_brief(number))
    due_.insert(number);
  if (number % ready_interval == 0 && waits_.insert(to).second)
    from_->network().when_ready(address(to), sender_);
  if (!text_of(number).empty() && outside_.chance(cut_interval))
    cut_under_way(looks_max);
}

void spiller::cut_under_way(int looks) {
  outside_.after(outside_.between(0us, look_time * 2), weak_from_this(),
                 [looks](spiller& x) {
                   const auto line = x.from_->line();
                   if (!line)
                     return;
                   const auto frame = line->terms().frame_bytes_max;
                   if (line->bytes_under_way() > frame) {
                     x.effects_.add(effect::cut_in_transfer);
                     x.from_->cut();
                   } else if (looks > 1) {
                     x.cut_under_way(looks - 1);
                   }
                 });
}

void spiller::came(lane to, std::uint64_t number, const std::string& text,
                   std::uint64_t incarnation) {
  if (incarnation != incarnation_)
    return;
  if (text != text_of(number))
    outside_.fail("spill: " + std::to_string(number)
                  + " came with another text");
  due_.erase(number);
  if (!came_here_.insert(number).second)
    outside_.fail("dedupe: " + std::to_string(number)
                  + " came from a spill twice");
  const auto& taken = taken_.at(number);
  // The file goes by the calendar. Set back, it gives a message more time, and
  // the next process finds it has some, of which the last one told otherwise.
  const auto set_back = taken.set_back != outside_.set_back();
  if (unsent_.count(number) > 0 && (taken.life == life_ || !set_back))
    outside_.fail("ttl: " + std::to_string(number)
                  + " came, and was told to have expired unsent");
  const auto age = outside_.now() - taken.time;
  if (strict_ && !set_back && is_brief(number) && age > brief_end)
    outside_.fail("ttl: " + std::to_string(number)
                  + " came from a spill when its time was over");
  // What was sent, and expired before it could be sent again, may come late.
  if (is_brief(number) && (age > brief_time || taken.life != life_))
    return;
  // What a process had in memory only may be on its way when it is gone.
  // What the broker lost once may be sent again by who knows of no outcome.
  if (!came_.insert(number).second || lost_.count(number) > 0
      || number <= excused_
      || (from_->spill_in_memory_max > 0 && number < first_))
    return;
  auto& highest = highest_.at(to);
  if (number < highest)
    outside_.fail("I4: " + std::to_string(number) + " came from a spill after "
                  + std::to_string(highest));
  highest = number;
}

void spiller::lost(std::uint64_t number, const caf::error& why) {
  due_.erase(number);
  lost_.insert(number);
  if (why == bridge::errc::unroutable)
    outside_.fail("spill: " + std::to_string(number)
                  + " did not wait for its queue");
  if (why != bridge::errc::expired)
    return;
  effects_.add(effect::spill_expired);
  unsent_.insert(number);
  if (!is_brief(number))
    outside_.fail("ttl: " + std::to_string(number)
                  + " was told to have expired, and had no time to live");
  if (came_.count(number) > 0)
    outside_.fail("ttl: " + std::to_string(number)
                  + " was told to have expired unsent, and had come");
}

bool spiller::complete() const {
  return due_.empty() && from_->up() && waits_.empty()
         && from_->network().counters().spilled == 0;
}

void spiller::check_complete() const {
  if (!due_.empty())
    outside_.fail("I7: " + std::to_string(*due_.begin()) + " of "
                  + std::to_string(sent_) + " never came from the spill");
  else if (!waits_.empty())
    outside_.fail("I7: nobody was told that there is room in the spill");
  else if (!complete())
    outside_.fail("I7: the spill was never empty");
}

} // namespace rookery::sim
