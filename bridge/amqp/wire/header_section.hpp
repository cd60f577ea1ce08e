#pragma once

#include "bridge/amqp/wire/reader.hpp"

#include <cstdint>
#include <optional>

namespace rookery::amqp {

/// The fields of a header section; nothing, or the standard's default, where it
/// does not say.
struct header_section {
  std::optional<bool> durable;
  std::uint8_t priority = 4;
  std::optional<std::uint32_t> ttl;
  std::optional<bool> first_acquirer;
  std::uint32_t delivery_count = 0;
};

/// Reads the list behind a header's descriptor. Check `in.failed()`.
[[nodiscard]] header_section read_header_section(reader& in) noexcept;

} // namespace rookery::amqp
