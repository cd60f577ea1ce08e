#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace rookery::bridge {

/// A queue a node wants to exist. Declaring it again the same way changes
/// nothing; declaring it differently is refused by the broker.
struct queue_declaration {
  enum class overflow_type : std::uint8_t { drop_head, reject_publish };

  std::string name = {}; // `serve` takes it from the address
  /// Replicated and crash-safe where the broker can (a quorum queue). Must be
  /// false for exclusive and auto-delete queues.
  bool replicated = true;
  /// Only for the connection that declares it; gone with it.
  bool exclusive = false;
  /// Gone with its last consumer.
  bool auto_delete = false;
  /// Only one consumer at a time gets messages.
  bool single_active_consumer = false;
  /// Messages the queue holds at most; nothing = the broker's own limit.
  std::optional<std::uint64_t> length_max = {};
  /// What happens to a message too many.
  overflow_type overflow = overflow_type::reject_publish;
  /// The exchange that gets what is rejected, expires, or is dropped for a
  /// newer message; nothing = it is gone.
  std::optional<std::string> dead_letter_exchange = {};
  /// The routing key it gets there; nothing = the one it came with.
  std::optional<std::string> dead_letter_key = {};

  [[nodiscard]] bool operator==(const queue_declaration&) const = default;
};

/// An exchange a node wants to exist.
struct exchange_declaration {
  enum class kind_type : std::uint8_t { direct, fanout };

  std::string name;
  kind_type kind = kind_type::fanout;

  [[nodiscard]] bool operator==(const exchange_declaration&) const = default;
};

/// What goes to `exchange` with `key` goes to `queue`.
struct binding_declaration {
  std::string exchange;
  std::string queue;
  std::string key = {};

  [[nodiscard]] bool operator==(const binding_declaration&) const = default;
};

/// Anything a node can ask the broker to have. Declared in the order given, at
/// every connect.
using declaration =
    std::variant<queue_declaration, exchange_declaration, binding_declaration>;

/// For messages to humans: "queue NAME", "exchange NAME", "binding X -> Q".
[[nodiscard]] std::string to_string(const declaration& x);

} // namespace rookery::bridge
