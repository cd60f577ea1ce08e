#include "broker/core/exchange.hpp"

#include <algorithm>
#include <iterator>

namespace rookery::broker {

namespace {

bool contains(const std::vector<queue*>& queues, const queue& wanted) {
  return std::find(queues.begin(), queues.end(), &wanted) != queues.end();
}

} // namespace

std::string_view to_string(exchange_type type) {
  return type == exchange_type::direct ? "direct" : "fanout";
}

bool exchange::bind(queue& target, std::string_view key) {
  auto place = by_key_.find(key);
  if (place == by_key_.end())
    place = by_key_.try_emplace(std::string{key}).first;
  if (contains(place->second, target))
    return false;
  place->second.push_back(&target);
  if (type_ == exchange_type::fanout && !contains(all_, target))
    all_.push_back(&target);
  ++binding_count_;
  return true;
}

bool exchange::unbind(queue& target, std::string_view key) {
  const auto place = by_key_.find(key);
  if (place == by_key_.end() || std::erase(place->second, &target) == 0)
    return false;
  if (place->second.empty())
    by_key_.erase(place);
  --binding_count_;
  const auto bound = [&](const auto& each) {
    return contains(each.second, target);
  };
  if (type_ == exchange_type::fanout
      && std::none_of(by_key_.begin(), by_key_.end(), bound))
    std::erase(all_, &target);
  return true;
}

std::size_t exchange::unbind_all(queue& target) {
  std::size_t removed = 0;
  for (auto each = by_key_.begin(); each != by_key_.end();) {
    removed += std::erase(each->second, &target);
    each = each->second.empty() ? by_key_.erase(each) : std::next(each);
  }
  std::erase(all_, &target);
  binding_count_ -= removed;
  return removed;
}

std::span<queue* const> exchange::destinations(std::string_view key) const {
  if (type_ == exchange_type::fanout)
    return all_;
  const auto place = by_key_.find(key);
  if (place == by_key_.end())
    return {};
  return place->second;
}

} // namespace rookery::broker
