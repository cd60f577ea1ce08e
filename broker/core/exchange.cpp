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

const std::string* exchange::bind(queue& target, std::string_view key) {
  auto place = by_key_.find(key);
  if (place == by_key_.end()) {
    place = by_key_.try_emplace(std::string{key}).first;
    if (type_ == exchange_type::topic)
      topics_.add(key, place->second);
  }
  if (contains(place->second, target))
    return nullptr;
  place->second.push_back(&target);
  if (type_ == exchange_type::fanout && ++counts_[&target] == 1)
    all_.push_back(&target);
  ++binding_count_;
  return &place->first;
}

bool exchange::unbind(queue& target, std::string_view key) {
  const auto place = by_key_.find(key);
  if (place == by_key_.end() || std::erase(place->second, &target) == 0)
    return false;
  if (type_ == exchange_type::fanout && --counts_[&target] == 0) {
    counts_.erase(&target);
    std::erase(all_, &target);
  }
  --binding_count_;
  if (place->second.empty()) {
    if (type_ == exchange_type::topic)
      topics_.remove(place->first);
    by_key_.erase(place);
  }
  return true;
}

const std::string* exchange::find_key(std::string_view key) const {
  const auto place = by_key_.find(key);
  return place == by_key_.end() ? nullptr : &place->first;
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
