#include "bridge/core/presence.hpp"

#include <utility>

namespace rookery::bridge {

void presence::track(const std::set<std::string>& peers) {
  std::erase_if(peers_,
                [&](const auto& x) { return !peers.contains(x.first); });
  std::erase_if(under_way_,
                [&](const auto& x) { return !peers.contains(x.second); });
  for (const auto& x : peers)
    peers_.try_emplace(x);
}

std::vector<presence::probe> presence::due(time_point now) {
  std::vector<probe> result;
  for (auto& [name, x] : peers_) {
    if (x.probe != 0 || now < x.next)
      continue;
    x.probe = ++probes_;
    x.next = now + interval_;
    under_way_.emplace(x.probe, name);
    result.push_back({x.probe, name});
  }
  return result;
}

std::optional<std::string> presence::answered(std::uint64_t number, bool there,
                                              time_point now) {
  auto found = under_way_.find(number);
  if (found == under_way_.end())
    return std::nullopt; // it is of an earlier connection
  auto name = std::move(found->second);
  under_way_.erase(found);
  auto& x = peers_.at(name);
  x.probe = 0;
  if (there)
    x.missing_since.reset();
  else if (!x.missing_since)
    x.missing_since = now;
  if (!x.missing_since || now - *x.missing_since < gone_after_)
    return std::nullopt;
  peers_.erase(name);
  return name;
}

void presence::blind() {
  under_way_.clear();
  for (auto& [name, x] : peers_)
    x = {};
}

} // namespace rookery::bridge
