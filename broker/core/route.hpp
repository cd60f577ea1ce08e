#pragma once

#include "broker/core/death.hpp"
#include "broker/core/fwd.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rookery::broker {

/// A publisher's fixed target, `exchange` (empty: the default one, `key` is the
/// queue's name) and `key`. It remembers where that leads until any queue,
/// exchange or binding changes, so that publishing needs no look-up. The shell
/// keeps one per link and never looks inside.
class route {
public:
  route(std::string exchange, std::string key)
      : to_{std::make_shared<const publication>(
          publication{std::move(exchange), std::move(key)})} {}
  // A copy would lead to where the original's destinations lie.
  route(const route&) = delete;
  route& operator=(const route&) = delete;
  route(route&&) = default;
  route& operator=(route&&) = default;
  ~route() = default;

  [[nodiscard]] const std::string& exchange() const { return to_->exchange; }
  [[nodiscard]] const std::string& key() const { return to_->key; }
  /// For `message::published_to`.
  [[nodiscard]] const std::shared_ptr<const publication>& to() const {
    return to_;
  }

private:
  friend class virtual_host;

  std::shared_ptr<const publication> to_;
  /// The virtual host's epoch in which the rest was worked out; 0: never.
  std::uint64_t epoch_ = 0;
  /// Nothing: there is no such exchange.
  std::optional<std::span<queue* const>> queues_;
  std::vector<queue*> room_; // where `queues_` may lie
};

} // namespace rookery::broker
