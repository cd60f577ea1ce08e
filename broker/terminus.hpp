#pragma once

#include "bridge/expected.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::broker {

/// What the address of a link's source or target means.
struct terminus {
  enum class kind_type : std::uint8_t {
    /// `/queues/:queue`: a queue that must exist.
    queue,
    /// `/exchanges/:exchange/:key` or `/exchanges/:exchange`.
    exchange,
    /// A plain name: a queue that attaching makes, for generic clients.
    plain,
    /// A null target: each message says in `to` where it goes.
    anonymous,
    /// `/management`.
    management,
  };

  kind_type kind = kind_type::queue;
  /// The queue or exchange, decoded; at most `name_bytes_max`, as the key.
  std::string name = {};
  /// The routing key, decoded; empty but for exchanges.
  std::string key = {};
};

/// The address in quotes, for a refusal; only the beginning of a long one.
[[nodiscard]] std::string quoted(std::string_view address);

/// Reads the address of a source, from which a client consumes.
/// On failure: one sentence that quotes the address.
/// @source RabbitMQ 4, address format version 2; plain names are ours.
[[nodiscard]] bridge::expected<terminus, std::string>
parse_source(const std::optional<std::string>& address);

/// Reads the address of a target, to which a client publishes.
[[nodiscard]] bridge::expected<terminus, std::string>
parse_target_address(const std::optional<std::string>& address);

/// Reads a message's `to`: queue, exchange or plain.
[[nodiscard]] bridge::expected<terminus, std::string>
parse_to(std::string_view address);

} // namespace rookery::broker
