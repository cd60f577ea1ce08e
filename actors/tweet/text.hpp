#pragma once

#include <caf/error.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace rookery::actors {

/// Unicode code points in a tweet.
inline constexpr std::size_t code_points_max = 280;

/// The number of code points in `bytes`, or nothing unless all of it is
/// well-formed UTF-8: no surrogates, no overlong forms, nothing above
/// U+10FFFF, nothing cut off.
/// @source The Unicode Standard 15.0, table 3-7.
[[nodiscard]] std::optional<std::size_t>
count_code_points(std::string_view bytes);

/// None if `text` may be a tweet; otherwise errc::invalid_utf8, text_empty or
/// text_too_long with the number of code points.
[[nodiscard]] caf::error check_text(std::string_view text);

} // namespace rookery::actors
