#pragma once

#include "broker/core/fwd.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace rookery::broker {

/// A publisher's fixed target, `exchange` (empty: the default one, `key` is the
/// queue's name) and `key`. It remembers where that leads until any queue,
/// exchange or binding changes, so that publishing needs no look-up. The shell
/// keeps one per link and never looks inside.
class route {
public:
  route(std::string exchange, std::string key)
      : exchange_{std::move(exchange)},
        key_{std::move(key)} {}

  [[nodiscard]] const std::string& exchange() const { return exchange_; }
  [[nodiscard]] const std::string& key() const { return key_; }

private:
  friend class virtual_host;

  std::string exchange_;
  std::string key_;
  /// The virtual host's epoch in which the rest was worked out; 0: never.
  std::uint64_t epoch_ = 0;
  bool found_ = false;
  std::span<queue* const> queues_;
};

} // namespace rookery::broker
