#pragma once

#include "broker/core/errc.hpp"

#include <optional>
#include <string_view>

namespace rookery::broker {

/// The longest name or binding key, in bytes.
inline constexpr std::size_t name_bytes_max = 255;

/// Whether a queue or exchange may be declared or deleted by this name: 1..255
/// bytes without line ends, not beginning with `amq.`. `what` is "queue" or
/// "exchange", for the text.
/// @returns nothing when it may.
[[nodiscard]] std::optional<failure> check_name(std::string_view what,
                                                std::string_view name);

/// The text for a refusal about one queue or exchange: `queue 'x' is gone`.
[[nodiscard]] failure refuse(errc code, std::string_view what,
                             std::string_view name, std::string_view why);

} // namespace rookery::broker
