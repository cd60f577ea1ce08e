#include "bridge/caf/watch_protocol.hpp"

#include "bridge/caf/encoding.hpp"
#include "bridge/caf/proxy.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/system_messages.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace rookery::bridge {

namespace {

constexpr std::chrono::seconds look_interval{1};

// Of one Watches.
constexpr int watches_max = 1'000;
// Less than any peer takes: it would end the connection, and no end be told.
constexpr std::size_t watches_bytes_max = 32 * 1024;

// Things to send, above which nothing more is taken.
constexpr std::size_t outbox_max = 65'536;

bool is_valid(const v1::Watch& x, const hub& home) {
  return x.watch() != 0 && x.paths_size() <= static_cast<int>(watch_paths_max)
         && std::all_of(x.paths().begin(), x.paths().end(),
                        [&](const auto& path) { return home.is_queue(path); });
}

watcher_table::watcher make_watcher(const v1::Watch& x,
                                    const std::string& reply_to) {
  return {reply_to, x.watch(), {x.paths().begin(), x.paths().end()}, x.link()};
}

// A number of this node's own: its stream is one, in hexadecimal.
std::uint64_t number_of(const hub& home) {
  return std::stoull(home.stream, nullptr, 16);
}

v1::Down make_down(std::uint64_t number, std::uint64_t end,
                   const caf::error& reason, const std::string& watcher) {
  v1::Down result;
  result.set_watch(number);
  result.set_end(end);
  if (reason)
    *result.mutable_reason() = to_error_message(reason, text_of(reason));
  result.set_watcher(watcher);
  return result;
}

// Calls `f` with the `T` that `x` is, if it is one.
template <class T, class F>
void if_is(const amqp::envelope_view& x, F f) {
  T body;
  if (x.type == T::descriptor()->full_name()
      && body.ParseFromArray(x.body().data(),
                             static_cast<int>(x.body().size())))
    f(std::move(body));
}

} // namespace

bool is_control(std::string_view type) {
  constexpr std::string_view package = "rookery.bridge.v1.";
  if (!type.starts_with(package))
    return false;
  type.remove_prefix(package.size());
  return type == "Watch" || type == "Watching" || type == "Watches"
         || type == "Down" || type == "Unwatch";
}

v1::Watch make_watch(const monitor_table::watch& x) {
  v1::Watch result;
  result.set_watch(x.number);
  result.set_target(x.at.target);
  result.set_link(x.link);
  for (const auto& path : x.paths)
    result.add_paths(path);
  if (x.exit)
    *result.mutable_exit() = to_error_message(*x.exit, text_of(*x.exit));
  return result;
}

watch_protocol::watch_protocol(hub& home, find_destination destination_to)
    : hub_{home},
      destination_to_{std::move(destination_to)},
      presence_{look_interval, home.options.peer_timeout},
      first_end_{number_of(home)} {}

bool watch_protocol::take(const amqp::envelope_view& x,
                          std::optional<std::uint64_t> target) {
  if (outbox_.size() >= outbox_max)
    return false;
  const std::string from{x.reply_to};
  if (!hub_.is_queue(from))
    return true; // nobody to tell
  if_is<v1::Watch>(x, [&](const auto& y) { take_watch(y, from, target); });
  if_is<v1::Down>(x, [&](auto y) {
    take_down(std::move(y), from, target.has_value());
    hub_.tell_watching();
  });
  if (target)
    return true; // the rest comes to the reply queue only
  if_is<v1::Watching>(x, [&](const auto& y) { take_begun(y, from); });
  if_is<v1::Watches>(x, [&](const auto& y) {
    for (const auto& each : y.watches())
      take_again(each, from);
  });
  if_is<v1::Unwatch>(
      x, [&](const auto& y) { hub_.watchers.remove(from, y.watch()); });
  return true;
}

void watch_protocol::take_watch(const v1::Watch& x, const std::string& reply_to,
                                std::optional<std::uint64_t> target) {
  if (target && is_valid(x, hub_))
    hub_.watchers.add(*target, make_watcher(x, reply_to), hub_.world.now());
}

void watch_protocol::take_again(const v1::Watch& x,
                                const std::string& reply_to) {
  if (!is_valid(x, hub_))
    return;
  auto who = make_watcher(x, reply_to);
  if (!x.has_exit())
    return hub_.watchers.renew(x.target(), std::move(who), hub_.world.now());
  if (auto target = caf::actor_cast<caf::strong_actor_ptr>(
          hub_.watchers.exit(x.target(), std::move(who))))
    target->enqueue(
        nullptr, caf::make_message_id(),
        caf::make_message(caf::exit_msg{{}, from_error_message(x.exit())}),
        nullptr);
}

void watch_protocol::take_begun(const v1::Watching& x,
                                const std::string& peer) {
  if (hub_.monitors.begun(x.watch(), {peer, x.target()}))
    return;
  v1::Unwatch over;
  over.set_watch(x.watch());
  later(hub_.control, hub_.encode_control(over, peer));
}

void watch_protocol::take_down(v1::Down x, const std::string& peer,
                               bool shared) {
  if (x.watcher() == hub_.reply_to) {
    if (x.copy() != 0)
      return hub_.monitors.down_copy(x.watch(), x.end(), x.copy());
    return hub_.monitors.down(x.watch(), peer,
                              {x.end(),
                               from_error_message(x.reason()),
                               {x.copies().begin(), x.copies().end()}},
                              hub_.world.now() + hub_.options.reply_timeout);
  }
  // A copy for another consumer of a queue of ours.
  if (!shared || x.copy() == 0 || x.sent_on() || !hub_.is_queue(x.watcher()))
    return;
  x.set_sent_on(true);
  later(hub_.control, hub_.encode_control(x, x.watcher()));
}

void watch_protocol::tell(watcher_table::notice x) {
  if (!x.ended) {
    v1::Watching body;
    body.set_watch(x.to.number);
    body.set_target(x.target);
    return later(hub_.replies, hub_.encode_control(body, x.to.reply_to));
  }
  auto down =
      make_down(x.to.number, first_end_ + x.target, *x.ended, x.to.reply_to);
  for (std::uint32_t i = 0; i < x.to.paths.size(); ++i) {
    const auto where = destination_to_(x.to.paths[i]);
    if (!where)
      continue; // nothing went there
    auto copy = down;
    copy.set_copy(i + 1);
    later(where->queue, hub_.encode_control(copy), where->lane);
    down.add_copies(i + 1);
  }
  later(hub_.replies, hub_.encode_control(down, x.to.reply_to));
}

void watch_protocol::end_of_gone(const monitor_table::watch& x) {
  auto down = make_down(x.number, ~first_end_,
                        make_error(caf::exit_reason::remote_link_unreachable),
                        hub_.reply_to);
  for (std::uint32_t i = 0; i < x.paths.size(); ++i) {
    auto copy = down;
    copy.set_copy(i + 1);
    later(hub_.control, hub_.encode_control(copy, x.paths[i]));
    down.add_copies(i + 1);
  }
  later(hub_.control, hub_.encode_control(down, hub_.reply_to));
}

void watch_protocol::connected() {
  using state = monitor_table::state;
  next_look_ = {}; // those that have begun, at once
  for (const auto& x : hub_.monitors.all()) {
    if (x.progress == state::gone)
      end_of_gone(x);
    else if (x.progress == state::asked && !x.ended)
      outbox_.push_back({x.by,
                         {.bytes = hub_.encode_control(make_watch(x)),
                          .expires = x.deadline,
                          .stays = true}});
  }
}

void watch_protocol::on_outcome(const amqp::outgoing& what,
                                const outcome& how) {
  if (what.waiting == 0)
    return;
  const auto there = how.kind != outcome::kind_type::released;
  auto gone = presence_.answered(what.waiting, there, hub_.world.now());
  if (!gone)
    return;
  hub_.report(observer::severity::warning, "peer-gone", *gone);
  const auto deadline = hub_.world.now() + hub_.options.reply_timeout;
  for (const auto& x : hub_.monitors.peer_gone(*gone, ~first_end_, deadline))
    end_of_gone(x);
}

void watch_protocol::turn() {
  for (auto& x : hub_.watchers.take_notices())
    tell(std::move(x));
  if (!outbox_.empty()) // mostly it is
    send_outbox();
  hub_.tell_watching();
}

void watch_protocol::later(std::shared_ptr<amqp::outgoing_queue> queue,
                           std::string bytes,
                           std::shared_ptr<spill_lane> lane) {
  // Nobody waits for it longer.
  const auto expires = hub_.world.now() + hub_.options.reply_timeout;
  outbox_.push_back(
      {std::move(queue),
       {.bytes = std::move(bytes), .expires = expires, .stays = true},
       std::move(lane)});
}

// What the actor said goes first.
bool watch_protocol::waits_for_spill(const item& x) const {
  return x.lane && hub_.spilled->brings(*x.lane);
}

void watch_protocol::send_outbox() {
  // Nobody passes another in one queue.
  const auto now = hub_.world.now();
  std::set<const amqp::outgoing_queue*> full;
  std::deque<item> left;
  for (auto& x : outbox_) {
    if (x.what.expires <= now)
      continue;
    if (!full.contains(x.queue.get())) {
      const auto size = x.what.bytes.size();
      const auto expires = x.what.expires;
      // The room beyond that is for answers.
      const auto crowded = x.queue == hub_.replies && hub_.answers_wait();
      if (!crowded && !waits_for_spill(x)
          && x.queue->push(std::move(x.what), size, expires)
                 != push_result::full)
        continue;
      full.insert(x.queue.get());
    }
    left.push_back(std::move(x));
  }
  outbox_ = std::move(left);
}

void watch_protocol::check(clock::time_point now, bool up) {
  hub_.monitors.expire(now);
  hub_.tell_watching();
  if (now < next_look_)
    return;
  next_look_ = now + look_interval;
  forget_orphans();
  hub_.watchers.expire(now - hub_.options.peer_timeout);
  if (up)
    say_again(now);
}

void watch_protocol::forget_orphans() {
  for (const auto& x : hub_.monitors.take_orphans()) {
    v1::Unwatch over;
    over.set_watch(x.number);
    if (!x.at.peer.empty())
      later(hub_.control, hub_.encode_control(over, x.at.peer));
  }
}

void watch_protocol::say_again(clock::time_point now) {
  if (const auto changes = hub_.watchers.changes(); changes != paths_of_) {
    paths_of_ = changes;
    hub_.monitors.renew_paths([this](const caf::actor_addr& x) {
      return hub_.watchers.paths_of(x, watch_paths_max);
    });
  }
  struct renewal {
    std::vector<v1::Watches> messages;
    std::size_t bytes_of_last = 0; // about
  };
  std::map<std::string, renewal> peers;
  for (const auto& x : hub_.monitors.all()) {
    if (x.progress != monitor_table::state::begun)
      continue;
    auto& to = peers[x.at.peer]; // also of those that only wait for copies
    auto watch = x.ended ? v1::Watch{} : make_watch(x);
    const auto bytes = watch.ByteSizeLong();
    if (to.messages.empty() || to.messages.back().watches_size() == watches_max
        || to.bytes_of_last + bytes > watches_bytes_max) {
      to.messages.emplace_back();
      to.bytes_of_last = 0;
    }
    to.bytes_of_last += bytes;
    if (!x.ended)
      *to.messages.back().add_watches() = std::move(watch);
  }
  std::set<std::string> names;
  for (const auto& [name, what] : peers)
    names.insert(name);
  presence_.track(names);
  for (const auto& probe : presence_.due(now)) {
    auto number = probe.number; // of the first
    for (const auto& what : peers[probe.peer].messages)
      outbox_.push_back({hub_.control,
                         {.bytes = hub_.encode_control(what, probe.peer),
                          .waiting = std::exchange(number, 0)}});
  }
}

void watch_protocol::leave() {
  hub_.watchers.end_all(make_error(caf::exit_reason::remote_link_unreachable));
  turn();
}

} // namespace rookery::bridge
