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
  switch (type) {
  case exchange_type::direct:
    return "direct";
  case exchange_type::fanout:
    return "fanout";
  case exchange_type::topic:
    return "topic";
  }
  return "?";
}

std::optional<exchange_type> parse_exchange_type(std::string_view name) {
  for (auto type :
       {exchange_type::direct, exchange_type::fanout, exchange_type::topic})
    if (name == to_string(type))
      return type;
  return std::nullopt;
}

bool exchange::bind(queue& target, std::string_view key) {
  auto place = by_key_.find(key);
  if (place == by_key_.end()) {
    place = by_key_.try_emplace(std::string{key}).first;
    if (type_ == exchange_type::topic)
      topics_.add(key, place->second);
  }
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
    erase_key(place);
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
    each = each->second.empty() ? erase_key(each) : std::next(each);
  }
  std::erase(all_, &target);
  binding_count_ -= removed;
  return removed;
}

exchange::bindings::iterator exchange::erase_key(bindings::iterator place) {
  if (type_ == exchange_type::topic)
    topics_.remove(place->first);
  return by_key_.erase(place);
}

std::span<queue* const>
exchange::destinations(std::string_view key, std::vector<queue*>& room) const {
  if (type_ == exchange_type::fanout)
    return all_;
  if (type_ == exchange_type::topic) {
    room.clear();
    topics_.match(key, room);
    return room;
  }
  const auto place = by_key_.find(key);
  if (place == by_key_.end())
    return {};
  return place->second;
}

} // namespace rookery::broker
