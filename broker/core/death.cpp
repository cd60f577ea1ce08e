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
