#include "tests/sim/vigil.hpp"

#include "bridge/caf/encoding.hpp"
#include "tests/sim/vigil_actors.hpp"

#include <caf/all.hpp>

#include <string>

namespace rookery::sim {

namespace {

using namespace std::chrono_literals;

// One in so many messages is the last that an actor handles.
constexpr std::uint32_t deadly = 12;

bridge::address queue() { return bridge::address::queue(vigil::queue_name); }
bridge::address desk() { return bridge::address::queue(vigil::desk_name); }

constexpr auto question_time = 400ms;
constexpr auto resolve_time = 2s;
// How late a deadline may be noticed.
constexpr auto slack = 200ms;

// Whether it is what a monitor may be told: the actor's own reason, that its
// node is gone or stops, or the own one, that it was never found, or that it
// could not be asked for.
bool says_why(const caf::error& x) {
  using bridge::errc;
  if (x.category() == mortal_category
      || x == caf::exit_reason::remote_link_unreachable)
    return true;
  for (auto why :
       {errc::target_down, errc::unroutable, errc::reply_timeout, errc::expired,
        errc::closed, errc::queue_full, errc::too_many_requests})
    if (x == why)
      return true;
  return false;
}

} // namespace

void vigil::serve() {
  bridge::serve_options options;
  options.window = window;
  options.linkable = true;
  auto make = [x = weak_from_this(), &host = *to_, packs = packs_,
               other = to_->actors().spawn(deputy)] {
    auto alive = x.lock();
    return alive ? host.system().spawn(
               mortal, x, alive->born(),
               host.network().proxy(desk(), {.pack = packs}), other)
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

void vigil::attend() {
  third_->network().declare(bridge::queue_declaration{.name = queue().name()});
  if (!finishing_) // it might watch an actor that nobody ends any more
    look_on();
}

void vigil::look_on() {
  third_->actors().spawn(bystander, weak_from_this(), third_->incarnation(),
                         third_->network().proxy(queue()));
}

void vigil::third_told(std::uint64_t life, bool again, const caf::error& why) {
  if (again)
    outside_.fail("I12: a third node was told of an end twice");
  check_reason(why);
  outside_.after(next_watch_time(), weak_from_this(), [life](vigil& x) {
    x.third_->execute([&x, life] {
      if (!x.finishing_ && x.third_->up() && x.third_->incarnation() == life)
        x.look_on();
    });
  });
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
  const auto begin = [this] {
    open_.insert(++monitors_);
    return monitors_;
  };
  caf::actor_cast<caf::abstract_actor*>(proxy)->attach_functor(
      [x = weak_from_this(), other = begin()](const caf::error& why) {
        if (auto alive = x.lock())
          alive->down(other, why);
      });
  auto& actors = from_->actors();
  actors.spawn(relative, weak_from_this(), begin(), proxy);
  actors.spawn(fickle, weak_from_this(), begin(), proxy,
               std::chrono::microseconds{outside_.draw(500'000)});
  if (outside_.chance(3))
    actors.spawn(kin, weak_from_this(), begin(), proxy,
                 std::chrono::microseconds{outside_.draw(500'000)});
  ++resolving_;
  from_->network().resolve(queue(), resolve_time,
                           [x = weak_from_this()](const auto&) {
                             if (auto alive = x.lock())
                               --alive->resolving_;
                           });
}

void vigil::work(world::clock::duration pace) {
  outside_.after(outside_.between(0ms, pace * 2), weak_from_this(),
                 [pace](vigil& x) {
                   if (!x.running_)
                     return;
                   if (x.outside_.chance(2))
                     x.ask();
                   else
                     x.send();
                   x.work(pace);
                 });
}

void vigil::send() {
  from_->execute([this] {
    caf::anon_send(from_->network().proxy(queue(), {.pack = packs_}),
                   number(0));
  });
}

void vigil::ask() {
  const auto question = ++questions_;
  asked_.insert(question);
  // Whose deadline it is: nobody's, the asking actor's, the bridge's.
  const auto kind = outside_.draw(3);
  from_->execute([this, question, kind] {
    bridge::send_options how;
    if (kind == 2)
      how.ttl = question_time;
    else
      how.pack = packs_;
    caf::anon_send(watcher_, from_->network().proxy(queue(), how), question,
                   kind == 1 ? caf::duration{question_time}
                             : caf::duration{caf::infinite});
    if (kind != 0)
      expect_end(question, question_time + slack);
  });
}

void vigil::expect_end(std::uint64_t question, world::clock::duration time) {
  outside_.after(time, weak_from_this(), [question](vigil& x) {
    if (x.asked_.count(question) == 0)
      return;
    if (x.from_->paused())
      return x.expect_end(question, slack);
    x.outside_.fail("deadline: nobody said in time that question "
                    + std::to_string(question) + " has no answer");
  });
}

void vigil::answered(std::uint64_t question, std::uint64_t answer) {
  if (asked_.erase(question) == 0)
    outside_.fail("request: question " + std::to_string(question)
                  + " ended twice");
  if (answer == 0)
    return effects_.add(effect::question_unanswered);
  if ((answer & ((std::uint64_t{1} << question_bits) - 1)) != question)
    outside_.fail("request: question " + std::to_string(question)
                  + " got the answer to another");
  if (const auto actor = answer >> question_bits; actor != 0)
    told(actor); // else its deputy answered
}

void vigil::taken_back(std::uint64_t monitor) {
  leaving_.insert(monitor);
  if (open_.erase(monitor) > 0)
    effects_.add(effect::monitor_taken_back);
}

bool vigil::delegates() { return outside_.chance(6); }

bool vigil::dies(std::uint64_t actor) {
  const auto result = finishing_ || outside_.chance(deadly);
  if (result)
    end_[actor] = outside_.now();
  return result;
}

void vigil::taken_along(std::uint64_t actor) {
  effects_.add(effect::taken_along);
  end_[actor] = outside_.now();
}

void vigil::told(std::uint64_t actor) {
  if (ended_.count(actor) > 0)
    outside_.fail("I12: " + std::to_string(actor)
                  + " was told to have ended before all it told came");
}

void vigil::down(std::uint64_t monitor, const caf::error& why) {
  if (leaving_.count(monitor) > 0)
    return;
  if (open_.erase(monitor) == 0)
    outside_.fail("I12: monitor " + std::to_string(monitor)
                  + " was told twice");
  check_reason(why);
  if (monitor != 0)
    return;
  if (why.category() == mortal_category) {
    effects_.add(effect::end_told);
    // A queue to which the broker lets nobody send is not waited for longer,
    // and a node that is cut off may have been taken for dead: what its actor
    // told comes when it is back.
    const auto actor = std::stoull(bridge::text_of(why));
    if (outside_.now() < end_.at(actor) + node_host::reply_timeout
        && to_->ready())
      ended_.insert(actor);
  }
  outside_.after(next_watch_time(), weak_from_this(), [](vigil& x) {
    if (!x.finishing_ && x.from_->up())
      x.from_->execute([&x] { x.watch(); });
  });
}

bool vigil::agreed() const {
  return from_->up() && third_->up() && to_->up()
         && from_->network().counters().watches
                    + third_->network().counters().watches
                == to_->network().counters().watchers;
}

// Not at once: until there is another, it would be told of this one again.
world::clock::duration vigil::next_watch_time() {
  return outside_.between(100ms, 700ms);
}

void vigil::check_reason(const caf::error& why) {
  if (!says_why(why))
    outside_.fail("I12: an end was told with " + to_string(why.category()) + " "
                  + std::to_string(why.code()) + " " + bridge::text_of(why));
}

void vigil::finish() {
  finishing_ = true;
  effects_.add(effect::late_reply, from_->network().counters().late_replies);
  send();
}

bool vigil::complete() const {
  return told_all() && to_->network().counters().watchers == 0;
}

bool vigil::told_all() const {
  return open_.empty() && asked_.empty() && resolving_ == 0 && from_->up()
         && to_->up() && from_->network().counters().watches == 0;
}

// The third may have begun just then to watch one that nobody ends any more.
void vigil::check_complete() const {
  if (!told_all() || !agreed())
    outside_.fail("I12: " + std::to_string(open_.size()) + " monitors, "
                  + std::to_string(asked_.size()) + " questions and "
                  + std::to_string(resolving_)
                  + " resolves were never told, or watches not forgotten");
}

} // namespace rookery::sim
