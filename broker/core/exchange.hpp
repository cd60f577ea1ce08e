#pragma once

#include "broker/core/fwd.hpp"
#include "broker/core/name_map.hpp"
#include "broker/core/topic_index.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rookery::broker {

enum class exchange_type : std::uint8_t {
  /// To the queues bound with the message's key.
  direct,
  /// To every bound queue, whatever the key.
  fanout,
  /// To the queues bound with a pattern that the key matches; see
  /// `topic_index`.
  topic,
};

[[nodiscard]] std::string_view to_string(exchange_type type);
/// Nothing when it is none of them.
[[nodiscard]] std::optional<exchange_type>
parse_exchange_type(std::string_view name);

/// One exchange: its bindings, and what they lead to, worked out when bindings
/// change, so that direct and fanout routing only looks it up. A queue appears
/// once, however many of its bindings match. Owns no queue.
class exchange {
public:
  exchange(exchange_type type, bool durable) : type_{type}, durable_{durable} {}

  /// @returns the key as it is kept as long as anything is bound with it; null
  /// when that binding was there before.
  const std::string* bind(queue& target, std::string_view key);
  /// @returns false when there was no such binding.
  bool unbind(queue& target, std::string_view key);
  /// The key as `bind` returned it; null when nothing is bound with it.
  [[nodiscard]] const std::string* find_key(std::string_view key) const;

  /// Where a message of this key goes; valid until the bindings change. Uses
  /// `room`, of the caller, where that is not known beforehand.
  [[nodiscard]] std::span<queue* const>
  destinations(std::string_view key, std::vector<queue*>& room) const;
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
  using bindings = name_map<std::vector<queue*>>;

  exchange_type type_;
  /// Remembered and compared only.
  bool durable_;
  /// No list is empty; in order of binding.
  bindings by_key_;
  /// A fanout's queues, each once, and how many bindings each has; empty for
  /// others.
  std::vector<queue*> all_;
  std::unordered_map<const queue*, std::size_t> counts_;
  /// A topic exchange's patterns, the keys of `by_key_`; empty for others.
  topic_index topics_;
  std::size_t binding_count_ = 0;
};

} // namespace rookery::broker
