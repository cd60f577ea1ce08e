#include "bridge/caf/time_bounds.hpp"

#include <algorithm>

namespace rookery::bridge {

namespace {

// What OPEN has room for, about 49 days.
constexpr std::chrono::milliseconds idle_timeout_max{0xffff'ffff};

} // namespace

std::chrono::milliseconds bounded(std::chrono::milliseconds x) {
  return std::min<std::chrono::milliseconds>(x, time_max);
}

backoff_options bounded(backoff_options x) {
  return {bounded(x.delay_min), bounded(x.first), bounded(x.delay_max)};
}

bridge_options bounded(bridge_options x) {
  for (auto* time :
       {&x.open_timeout, &x.outcome_timeout, &x.reply_timeout, &x.peer_timeout})
    *time = bounded(*time);
  x.idle_timeout = std::min(x.idle_timeout, idle_timeout_max);
  x.reconnect = bounded(x.reconnect);
  return x;
}

serve_options bounded(serve_options x) {
  x.handler_timeout = bounded(x.handler_timeout);
  x.retry.delay = bounded(x.retry.delay);
  return x;
}

} // namespace rookery::bridge
