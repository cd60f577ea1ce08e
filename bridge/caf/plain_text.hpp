#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rookery::bridge {

/// `text` as it may go onto the wire in a reason or an error: valid UTF-8
/// without control characters and at most `bytes_max` long. What does not fit
/// is cut off at a character, what is not UTF-8 becomes '?'. An invalid string
/// would cost the whole connection, and so would one longer than a frame.
[[nodiscard]] std::string plain_text(std::string_view text,
                                     std::size_t bytes_max = 256);

} // namespace rookery::bridge
