#pragma once

#include <cstdint>
#include <string_view>

namespace rookery::store {

/// FNV-1a over the fields of a request, in the order they are added. Stable
/// for ever: stores keep it. It tells a repeated request from another one
/// under the same idempotency key; it defends nothing against an attacker.
/// Why not the encoded request: Protobuf's encoding is not canonical.
/// @source Fowler, Noll, Vo: FNV-1a, 64 bits.
class fingerprint {
public:
  constexpr fingerprint& add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8)
      add_byte(static_cast<std::uint8_t>(number >> shift));
    return *this;
  }

  /// The length goes in, too, so that neighbours cannot flow together.
  constexpr fingerprint& add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    for (auto c : text)
      add_byte(static_cast<std::uint8_t>(c));
    return *this;
  }

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }

private:
  constexpr void add_byte(std::uint8_t byte) {
    value_ = (value_ ^ byte) * 0x100000001b3U;
  }

  std::uint64_t value_ = 0xcbf29ce484222325U;
};

} // namespace rookery::store
