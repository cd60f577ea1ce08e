#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rookery::bridge {

/// Which other nodes are connected to the broker. A node's reply queue lives
/// exactly as long as its connection, so whether a message to it finds a queue
/// is the broker's own word on that, and costs the node nothing. A peer that
/// was missing for `gone_after`, while we were connected ourselves, is gone:
/// its connection may break for a moment, ours says nothing about others. Pure;
/// not thread-safe.
class presence {
public:
  using time_point = std::chrono::steady_clock::time_point;

  presence(std::chrono::milliseconds interval,
           std::chrono::milliseconds gone_after)
      : interval_{interval},
        gone_after_{gone_after} {}

  /// Looks after these peers from now on, and no others.
  void track(const std::set<std::string>& peers);

  struct probe {
    std::uint64_t number;
    std::string peer;
  };
  /// Whom to probe now: one probe of a peer is under way at a time.
  [[nodiscard]] std::vector<probe> due(time_point now);

  /// The end of a probe; `there`: it found a queue.
  /// @returns the peer, when that shows it to be gone; it is not looked after
  /// any more until it is tracked again
  [[nodiscard]] std::optional<std::string> answered(std::uint64_t number,
                                                    bool there, time_point now);

  /// Our own connection is over: nothing is known, no probe is under way.
  void blind();

private:
  struct peer_state {
    std::uint64_t probe = 0; // under way; 0 = none
    time_point next{};       // not before
    std::optional<time_point> missing_since = {};
  };

  std::chrono::milliseconds interval_;
  std::chrono::milliseconds gone_after_;
  std::uint64_t probes_ = 0; // so far
  std::map<std::string, peer_state> peers_;
  std::map<std::uint64_t, std::string> under_way_;
};

} // namespace rookery::bridge
