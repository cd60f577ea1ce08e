#include "bridge/caf/watcher_table.hpp"

#include "bridge/errc.hpp"

#include <algorithm>

namespace rookery::bridge {

namespace {

// Ended targets whose reasons are remembered.
constexpr std::size_t ended_max = 256;

} // namespace

std::uint64_t watcher_table::add_target(const caf::actor_addr& target,
                                        std::string path, bool linkable) {
  std::lock_guard guard{mutex_};
  const auto number = ++targets_made_;
  ++changes_;
  targets_.emplace(number, target_state{target, std::move(path), linkable});
  return number;
}

void watcher_table::take_out(table::iterator which) {
  if (auto at = targets_.find(which->second.target); at != targets_.end())
    at->second.watchers.erase(which->first);
  watchers_.erase(which);
}

void watcher_table::end(std::map<std::uint64_t, target_state>::iterator which,
                        const caf::error& reason) {
  const auto target = which->first;
  if (ended_.size() == ended_max)
    ended_.pop_front();
  ended_.emplace_back(target, reason);
  for (const auto& x : which->second.watchers) {
    auto found = watchers_.find(x);
    notices_.push_back({std::move(found->second.who), target, reason});
    watchers_.erase(found);
  }
  targets_.erase(which);
  ++changes_;
}

void watcher_table::target_ended(std::uint64_t target,
                                 const caf::error& reason) {
  std::lock_guard guard{mutex_};
  if (auto found = targets_.find(target); found != targets_.end())
    end(found, reason);
}

void watcher_table::end_all(const caf::error& reason) {
  std::lock_guard guard{mutex_};
  while (!targets_.empty())
    end(targets_.begin(), reason);
}

caf::error watcher_table::why_not_there(std::uint64_t target) const {
  for (const auto& [number, reason] : ended_)
    if (number == target)
      return reason;
  return caf::make_error(errc::target_down, target == 0
                                                ? "no actor serves it now"
                                                : "it has ended");
}

bool watcher_table::insert(std::uint64_t target, const watcher& x,
                           clock::time_point now) {
  const key name{x.reply_to, x.number};
  if (auto old = watchers_.find(name); old != watchers_.end())
    take_out(old);
  auto at = targets_.find(target);
  if (at == targets_.end()) {
    notices_.push_back({x, target, why_not_there(target)});
    return false;
  }
  if (watchers_.size() >= watchers_max_) {
    notices_.push_back(
        {x, target,
         caf::make_error(errc::too_many_requests, "too many watchers")});
    return false;
  }
  at->second.watchers.insert(name);
  watchers_.emplace(name, watching{x, target, now});
  return true;
}

void watcher_table::add(std::uint64_t target, watcher x,
                        clock::time_point now) {
  std::lock_guard guard{mutex_};
  if (insert(target, x, now))
    notices_.push_back({std::move(x), target});
}

void watcher_table::renew(std::uint64_t target, const watcher& x,
                          clock::time_point now) {
  std::lock_guard guard{mutex_};
  static_cast<void>(insert(target, x, now));
}

void watcher_table::remove(const std::string& reply_to, std::uint64_t number) {
  std::lock_guard guard{mutex_};
  if (auto found = watchers_.find({reply_to, number}); found != watchers_.end())
    take_out(found);
}

caf::actor_addr watcher_table::exit(std::uint64_t target, watcher x) {
  std::lock_guard guard{mutex_};
  auto found = watchers_.find({x.reply_to, x.number});
  if (found != watchers_.end())
    take_out(found);
  auto at = targets_.find(target);
  x.paths.clear();
  notices_.push_back({std::move(x), target, caf::error{}});
  return at != targets_.end() && at->second.linkable ? at->second.actor
                                                     : caf::actor_addr{};
}

void watcher_table::expire(clock::time_point before) {
  std::lock_guard guard{mutex_};
  for (auto i = watchers_.begin(); i != watchers_.end();) {
    auto which = i++;
    if (which->second.renewed < before)
      take_out(which);
  }
}

std::vector<watcher_table::notice> watcher_table::take_notices() {
  std::lock_guard guard{mutex_};
  return std::exchange(notices_, {});
}

std::vector<std::string> watcher_table::paths_of(const caf::actor_addr& x,
                                                 std::size_t count_max) const {
  std::vector<std::string> result;
  std::lock_guard guard{mutex_};
  for (const auto& [number, at] : targets_)
    if (result.size() < count_max && at.actor == x)
      result.push_back(at.path);
  return result;
}

std::uint64_t watcher_table::changes() const {
  std::lock_guard guard{mutex_};
  return changes_;
}

std::size_t watcher_table::size() const {
  std::lock_guard guard{mutex_};
  return watchers_.size();
}

} // namespace rookery::bridge
