#include "bridge/caf/monitor_table.hpp"

#include "bridge/caf/mailbox_state.hpp"
#include "bridge/caf/observer_of.hpp"
#include "bridge/errc.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>

#include <algorithm>
#include <utility>

namespace rookery::bridge {

namespace {

// Of a Watch, see control.proto.
constexpr std::uint32_t copies_max = 8;

// That came before what they are copies of: of that end, and of some that were
// never told.
constexpr std::size_t copies_kept_max = std::size_t{4} * copies_max;

bool has_ended(const caf::strong_actor_ptr& x) {
  return !x || x->get()->getf(caf::abstract_actor::is_terminated_flag)
         || mailbox_closed(caf::actor_cast<caf::actor>(x));
}

} // namespace

bool monitor_table::add(watch x, const caf::abstract_actor* of,
                        caf::attachable_ptr& who, clock::time_point deadline) {
  std::lock_guard guard{mutex_};
  if (entries_.size() >= watches_max_)
    return false;
  const auto number = x.number;
  auto& added = entries_[number];
  added.what = std::move(x);
  added.of = of;
  added.observer = observer_of(*who);
  added.who = std::move(who);
  added.deadline = deadline;
  return true;
}

bool monitor_table::begun(std::uint64_t number, place at) {
  std::lock_guard guard{mutex_};
  auto found = entries_.find(number);
  if (found == entries_.end())
    return false;
  if (found->second.what.once) {
    told_.push_back({std::move(found->second.who), {}, true});
    entries_.erase(found);
    return false;
  }
  auto& x = found->second;
  const auto elsewhere =
      x.what.progress == state::gone
      || (x.what.progress == state::begun
          && (x.what.at.peer != at.peer || x.what.at.target != at.target));
  if (elsewhere)
    return false;
  x.what.at = std::move(at);
  x.what.progress = state::begun;
  if (!x.what.ended && !x.what.exit)
    x.deadline = clock::time_point::max();
  return true;
}

void monitor_table::tell(table::iterator which) {
  if (!which->second.what.exit)
    told_.push_back({std::move(which->second.who),
                     std::move(which->second.reason), false, which->second.of});
  entries_.erase(which);
}

void monitor_table::down(std::uint64_t number, const std::string& peer,
                         end_type end, clock::time_point deadline) {
  std::lock_guard guard{mutex_};
  auto found = entries_.find(number);
  if (found == entries_.end() || found->second.what.ended)
    return;
  auto& x = found->second;
  if (x.what.progress == state::begun && x.what.at.peer != peer)
    return; // another one that was asked as well
  x.what.ended = true;
  x.reason = std::move(end.reason);
  x.end = end.name;
  x.deadline = deadline;
  for (auto i : end.copies)
    if (i > 0 && i <= copies_max
        && std::find(x.came.begin(), x.came.end(), copy{end.name, i})
               == x.came.end())
      x.to_come.insert(i);
  if (x.to_come.empty())
    tell(found);
}

void monitor_table::down_copy(std::uint64_t number, std::uint64_t name,
                              std::uint32_t which) {
  std::lock_guard guard{mutex_};
  auto found = entries_.find(number);
  if (found == entries_.end() || which == 0 || which > copies_max)
    return;
  auto& x = found->second;
  if (!x.what.ended) {
    if (x.came.size() == copies_kept_max)
      x.came.pop_front();
    x.came.emplace_back(name, which);
    return;
  }
  if (name == x.end && x.to_come.erase(which) > 0 && x.to_come.empty())
    tell(found);
}

caf::attachable_ptr monitor_table::take(std::uint64_t number) {
  std::lock_guard guard{mutex_};
  auto taken = entries_.extract(number);
  return taken ? std::move(taken.mapped().who) : nullptr;
}

void monitor_table::fail(std::uint64_t number, caf::error reason) {
  std::lock_guard guard{mutex_};
  auto found = entries_.find(number);
  if (found == entries_.end() || found->second.what.progress == state::begun)
    return; // it arrived, whatever is said of the message
  if (!found->second.what.ended)
    found->second.reason = std::move(reason);
  tell(found);
}

void monitor_table::fail_all(const caf::error& reason) {
  std::lock_guard guard{mutex_};
  while (!entries_.empty()) {
    auto first = entries_.begin();
    if (!first->second.what.ended)
      first->second.reason = reason;
    tell(first);
  }
}

void monitor_table::expire(clock::time_point now) {
  std::lock_guard guard{mutex_};
  for (auto i = entries_.begin(); i != entries_.end();) {
    auto which = i++;
    auto& x = which->second;
    if (x.deadline > now)
      continue;
    if (!x.what.ended && x.what.progress == state::gone)
      x.reason = caf::exit_reason::remote_link_unreachable;
    else if (!x.what.ended)
      x.reason = caf::make_error(errc::reply_timeout,
                                 "nobody said that the watch has begun");
    tell(which);
  }
}

void monitor_table::tell_each(const std::function<void(told&)>& f) {
  for (;;) {
    std::unique_lock guard{mutex_};
    if (told_.empty())
      return;
    auto next = std::move(told_.front());
    told_.pop_front();
    guard.unlock();
    f(next);
  }
}

std::vector<monitor_table::watch>
monitor_table::detach(const caf::abstract_actor* of,
                      const caf::attachable::token& which) {
  std::vector<watch> result;
  std::lock_guard guard{mutex_};
  std::erase_if(entries_, [&](auto& x) {
    const auto hit = is_of(x.second, of, which);
    if (hit)
      result.push_back(std::move(x.second.what));
    return hit;
  });
  std::erase_if(told_, [&](const auto& x) {
    return x.of == of && x.who && x.who->matches(which);
  });
  return result;
}

void monitor_table::leave(const caf::abstract_actor* of,
                          const caf::attachable::token& which,
                          const caf::error& exit, clock::time_point deadline) {
  std::lock_guard guard{mutex_};
  for (auto& [number, x] : entries_) {
    if (!is_of(x, of, which))
      continue;
    x.what.exit = exit;
    x.deadline = deadline;
    x.who = nullptr;
  }
}

bool monitor_table::is_of(const entry& x, const caf::abstract_actor* of,
                          const caf::attachable::token& which) {
  return x.of == of && x.who && x.who->matches(which);
}

bool monitor_table::contains(const caf::abstract_actor* of,
                             const caf::attachable::token& which) const {
  std::lock_guard guard{mutex_};
  for (const auto& [number, x] : entries_)
    if (is_of(x, of, which))
      return true;
  return false;
}

std::vector<monitor_table::watch> monitor_table::take_orphans() {
  std::vector<watch> result;
  // Let go after the lock: the last handle of an actor ends it.
  std::vector<caf::strong_actor_ptr> observers;
  std::lock_guard guard{mutex_};
  std::erase_if(entries_, [&](auto& x) {
    auto& each = x.second;
    if (!each.observer || each.what.link)
      return false;
    observers.push_back(caf::actor_cast<caf::strong_actor_ptr>(each.observer));
    const auto hit = has_ended(observers.back());
    if (hit)
      result.push_back(std::move(each.what));
    return hit;
  });
  return result;
}

void monitor_table::renew_paths(
    const std::function<std::vector<std::string>(const caf::actor_addr&)>&
        paths_of) {
  std::lock_guard guard{mutex_};
  for (auto& [number, x] : entries_)
    if (x.observer)
      x.what.paths = paths_of(x.observer);
}

std::vector<monitor_table::watch> monitor_table::all() const {
  std::vector<watch> result;
  std::lock_guard guard{mutex_};
  for (const auto& [number, x] : entries_)
    result.push_back(x.what);
  return result;
}

std::vector<monitor_table::watch>
monitor_table::peer_gone(const std::string& peer, std::uint64_t end,
                         clock::time_point deadline) {
  std::vector<watch> result;
  std::lock_guard guard{mutex_};
  for (auto i = entries_.begin(); i != entries_.end();) {
    auto which = i++;
    auto& x = which->second;
    if (x.what.progress != state::begun || x.what.at.peer != peer)
      continue;
    x.what.progress = state::gone;
    if (!x.what.ended) {
      x.deadline = deadline;
    } else if (x.what.paths.empty()) {
      tell(which);
      continue;
    } else { // the copies of that may never have been sent
      x.end = end;
      x.to_come.clear();
      for (std::uint32_t path = 1; path <= x.what.paths.size(); ++path)
        x.to_come.insert(path);
    }
    result.push_back(x.what);
  }
  return result;
}

void monitor_table::add_peers(std::set<std::string>& out) const {
  std::lock_guard guard{mutex_};
  for (const auto& [number, x] : entries_)
    if (x.what.progress == state::begun)
      out.insert(x.what.at.peer);
}

std::size_t monitor_table::size() const {
  std::lock_guard guard{mutex_};
  return entries_.size();
}

} // namespace rookery::bridge
