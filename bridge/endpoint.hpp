#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::bridge {

/// Where a broker listens.
struct endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 5672;

  [[nodiscard]] bool operator==(const endpoint&) const = default;
};

/// Reads "host:port" or "[v6 address]:port", the port in decimal, 0..65535. A
/// host has letters, digits, and . - _ only; an address : and % as well, for a
/// zone. Nothing when it is neither.
[[nodiscard]] std::optional<endpoint> parse_endpoint(std::string_view text);

/// What `parse_endpoint` reads.
[[nodiscard]] std::string to_string(const endpoint& x);

} // namespace rookery::bridge
