#pragma once

#include "broker/core/fwd.hpp"
#include "broker/core/name_map.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::broker {

enum class exchange_type : std::uint8_t {
  /// To the queues bound with the message's key.
  direct,
  /// To every bound queue, whatever the key.
  fanout,
};

[[nodiscard]] std::string_view to_string(exchange_type type);

/// One exchange: its bindings, and for each key the queues it leads to, worked
/// out when bindings change, so that routing only looks them up. A queue
/// appears once, however many of its bindings match. Owns no queue.
class exchange {
public:
  exchange(exchange_type type, bool durable) : type_{type}, durable_{durable} {}

  /// @returns false when that binding was there before.
  bool bind(queue& target, std::string_view key);
  /// @returns false when there was no such binding.
  bool unbind(queue& target, std::string_view key);
  /// Removes all bindings of a queue. @returns their number.
  std::size_t unbind_all(queue& target);

  /// Where a message of this key goes; valid until the bindings change.
  [[nodiscard]] std::span<queue* const>
  destinations(std::string_view key) const;
  /// Calls `sink(const std::string& key, const queue&)` for each binding, in
  /// no order.
  template <class Sink>
  void each_binding(Sink&& sink) const {
    for (const auto& [key, targets] : by_key_)
      for (const auto* target : targets)
        sink(key, *target);
  }

  [[nodiscard]] exchange_type type() const { return type_; }
  [[nodiscard]] bool durable() const { return durable_; }
  [[nodiscard]] std::size_t binding_count() const { return binding_count_; }

private:
  exchange_type type_;
  /// Remembered and compared only.
  bool durable_;
  /// No list is empty; in order of binding.
  name_map<std::vector<queue*>> by_key_;
  /// A fanout's queues, each once; empty for a direct exchange.
  std::vector<queue*> all_;
  std::size_t binding_count_ = 0;
};

} // namespace rookery::broker
