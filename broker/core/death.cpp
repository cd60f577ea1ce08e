#include "broker/core/death.hpp"

#include <algorithm>
#include <utility>

namespace rookery::broker {

std::string_view to_string(death_reason why) {
  switch (why) {
  case death_reason::rejected:
    return "rejected";
  case death_reason::expired:
    return "expired";
  case death_reason::maxlen:
    return "maxlen";
  case death_reason::delivery_limit:
    return "delivery_limit";
  }
  return "?";
}

void death_history::record(death once) {
  if (records.empty()) {
    first_queue = once.queue;
    first_exchange = once.published_to.exchange;
    first_reason = once.reason;
  }
  const auto known =
      std::find_if(records.begin(), records.end(), [&](const death& x) {
        return x.queue == once.queue && x.reason == once.reason;
      });
  if (known == records.end()) {
    once.count = 1;
    records.insert(records.begin(), std::move(once));
    return;
  }
  ++known->count;
  known->last_time = once.last_time;
  std::rotate(records.begin(), known, known + 1);
}

std::size_t bytes_of(const publication& x) {
  return sizeof x + x.exchange.size() + x.key.size();
}

std::size_t bytes_of(const death_history& x) {
  auto result = sizeof x + x.first_queue.size() + x.first_exchange.size();
  for (const auto& each : x.records)
    result += sizeof each + each.queue.size()
              + each.published_to.exchange.size()
              + each.published_to.key.size();
  return result;
}

bool death_history::is_cycle(std::string_view queue) const {
  for (const auto& each : records) {
    if (each.reason == death_reason::rejected)
      return false;
    if (each.queue == queue)
      return true;
  }
  return false;
}

} // namespace rookery::broker
