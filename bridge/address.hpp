#pragma once

#include "bridge/expected.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace rookery::bridge {

/// Where an envelope goes: a queue, or an exchange with a routing key.
/// A logical name, the same for every broker; a broker profile turns it into
/// the AMQP address (and quotes it), so that no program writes "/queues/...".
/// A value: comparable, hashable, cheap to move.
class address {
public:
  enum class kind_type : std::uint8_t { queue, exchange };

  /// Longest queue name, exchange name or routing key, in bytes.
  static constexpr std::size_t name_bytes_max = 255;

  /// The queue `name`, 1..255 bytes of any value. For names the program makes;
  /// a name from outside goes through `parse`, since a bad one aborts here.
  [[nodiscard]] static address queue(std::string name);

  /// The exchange `name` (1..255 bytes) with routing key `key` (0..255 bytes).
  [[nodiscard]] static address exchange(std::string name, std::string key);

  /// Whether `name` may name a queue or an exchange.
  [[nodiscard]] static bool valid_name(std::string_view name) noexcept;

  /// Reads the text form: "NAME" is a queue, "exchange:NAME/KEY" an exchange
  /// ("exchange:NAME" has an empty key; the key may contain '/'). "%2F" stands
  /// for the byte 0x2f, anywhere.
  /// On failure: one sentence that quotes the text and names the fault.
  [[nodiscard]] static expected<address, std::string>
  parse(std::string_view text);

  [[nodiscard]] kind_type kind() const noexcept { return kind_; }
  /// The queue, or the exchange.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The routing key; empty for a queue.
  [[nodiscard]] const std::string& key() const noexcept { return key_; }

  friend bool operator==(const address&, const address&) = default;
  friend auto operator<=>(const address&, const address&) = default;

private:
  address(kind_type kind, std::string name, std::string key);

  kind_type kind_;
  std::string name_; // 1..255 bytes
  std::string key_;  // 0..255 bytes, empty for a queue
};

/// The text form, printable ASCII without spaces; `parse` reads it back to an
/// equal address whatever bytes the names hold.
[[nodiscard]] std::string to_string(const address& x);

} // namespace rookery::bridge

template <>
struct std::hash<rookery::bridge::address> {
  std::size_t operator()(const rookery::bridge::address& x) const noexcept;
};
