#include "broker/core/exchange_table.hpp"

#include "broker/core/names.hpp"

namespace rookery::broker {

exchange_table::exchange_table(std::size_t exchanges_max,
                               std::size_t bindings_max)
    : exchanges_max_{exchanges_max},
      bindings_max_{bindings_max} {
  exchanges_.try_emplace("amq.direct", exchange_type::direct, true);
  exchanges_.try_emplace("amq.fanout", exchange_type::fanout, true);
  exchanges_.try_emplace("amq.topic", exchange_type::topic, true);
}

result<bool> exchange_table::declare(std::string_view name, exchange_type type,
                                     bool durable) {
  if (const auto* there = find(name)) {
    if (there->type() != type)
      return refuse(errc::precondition_failed, "exchange", name,
                    "exists with another type");
    if (there->durable() != durable)
      return refuse(errc::precondition_failed, "exchange", name,
                    "exists with another durable");
    return false;
  }
  if (auto bad = check_name("exchange", name))
    return *bad;
  if (exchanges_.size() >= exchanges_max_)
    return refuse(errc::resource_limit_exceeded, "exchange", name,
                  "is one more than the broker allows");
  exchanges_.try_emplace(std::string{name}, type, durable);
  return true;
}

result<bool> exchange_table::remove(std::string_view name) {
  if (auto bad = check_name("exchange", name))
    return *bad;
  const auto place = exchanges_.find(name);
  if (place == exchanges_.end())
    return false;
  auto& gone = place->second;
  gone.each_binding([&](const std::string& key, const queue& target) {
    released(target, gone, key);
  });
  exchanges_.erase(place);
  return true;
}

result<bool> exchange_table::bind(std::string_view exchange, queue& target,
                                  std::string_view key) {
  auto found = find_for_binding(exchange, key);
  if (!found)
    return found.error();
  if (binding_count_ >= bindings_max_)
    return refuse(errc::resource_limit_exceeded, "exchange", exchange,
                  "would get one binding more than the broker allows");
  const auto* kept = found.value()->bind(target, key);
  if (kept == nullptr)
    return false;
  bound_[&target].emplace(found.value(), kept);
  ++binding_count_;
  return true;
}

result<bool> exchange_table::unbind(std::string_view exchange, queue& target,
                                    std::string_view key) {
  auto found = find_for_binding(exchange, key);
  if (!found)
    return found.error();
  auto& from = *found.value();
  const auto* kept = from.find_key(key);
  const auto of_target = bound_.find(&target);
  if (kept == nullptr || of_target == bound_.end()
      || !of_target->second.contains({&from, kept}))
    return false;
  released(target, from, *kept);
  return from.unbind(target, key);
}

void exchange_table::forget(queue& target) {
  const auto place = bound_.find(&target);
  if (place == bound_.end())
    return;
  binding_count_ -= place->second.size();
  for (const auto& [from, key] : place->second)
    from->unbind(target, std::string{*key}); // the key may go with it
  bound_.erase(place);
}

const exchange* exchange_table::find(std::string_view name) const {
  const auto place = exchanges_.find(name);
  return place == exchanges_.end() ? nullptr : &place->second;
}

result<exchange*> exchange_table::find_for_binding(std::string_view name,
                                                   std::string_view key) {
  if (name.empty())
    return refuse(errc::access_refused, "exchange", name,
                  "is the default one, which has no bindings");
  if (key.size() > name_bytes_max)
    return refuse(errc::not_allowed, "exchange", name,
                  "was given a binding key of more than 255 bytes");
  const auto place = exchanges_.find(name);
  if (place == exchanges_.end())
    return refuse(errc::not_found, "exchange", name, "does not exist");
  return &place->second;
}

void exchange_table::released(const queue& target, exchange& from,
                              const std::string& key) {
  --binding_count_;
  const auto place = bound_.find(&target);
  place->second.erase({&from, &key});
  if (place->second.empty())
    bound_.erase(place);
}

} // namespace rookery::broker
