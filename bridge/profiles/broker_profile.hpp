#pragma once

#include "bridge/address.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rookery::bridge {

/// What differs between brokers, as data. The engine asks a profile and never
/// the broker's name. Views refer to constants that live for ever.
struct broker_profile {
  std::string_view name;

  /// Addresses: prefix + percent-encoded queue, or prefix + exchange + "/" +
  /// routing key (without "/" and key when the key is empty).
  std::string_view queue_prefix;
  std::string_view exchange_prefix;

  /// Whether a link without a target takes messages that carry `to`, and the
  /// capability in OPEN that proves it.
  bool anonymous_terminus;
  std::string_view anonymous_capability;

  /// The node that declares queues over AMQP, and the capability that proves
  /// it; empty where there is none.
  std::string_view management_address;
  std::string_view management_capability;

  /// Stay below the broker's limits: one link too many ends the session.
  std::uint32_t links_per_session_max;
  std::uint32_t message_bytes_max;
  /// Smallest idle timeout the broker accepts from Proton, which advertises
  /// half of what it is told.
  std::chrono::milliseconds idle_timeout_min;

  /// Whether an unroutable message comes back as released; if not, it is lost
  /// in silence.
  bool unroutable_released;
  /// Link property with the consumer's priority (an int); empty: unknown.
  std::string_view consumer_priority_property;

  /// The AMQP address of `x`, to be used in source, target, `to`, `reply-to`.
  [[nodiscard]] std::string encode(const address& x) const;

  /// The address behind an AMQP address string.
  /// On failure: one sentence that quotes the text. Expected for addresses a
  /// foreign client made up; they can still be used as `to` as they stand.
  [[nodiscard]] expected<address, std::string>
  decode(std::string_view text) const;
};

} // namespace rookery::bridge
