#pragma once

#include "bridge/bridge_options.hpp"

#include <chrono>

namespace rookery::bridge {

/// As good as for ever. A longer time is taken for it: a clock's time and a few
/// of these still make one, a clock's time and `max()` make one of the past.
inline constexpr std::chrono::hours time_max{24 * 365 * 10};

/// At most that.
[[nodiscard]] std::chrono::milliseconds bounded(std::chrono::milliseconds x);
/// Of each time in it.
[[nodiscard]] backoff_options bounded(backoff_options x);
[[nodiscard]] bridge_options bounded(bridge_options x);
[[nodiscard]] serve_options bounded(serve_options x);

} // namespace rookery::bridge
