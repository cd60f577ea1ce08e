#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rookery::testing {

/// The bytes of the first frame, or protocol header, of what a peer writes;
/// all of them when it is cut short.
[[nodiscard]] std::size_t first_frame_bytes(std::string_view written);

/// The same DISPOSITION without its state: "settled, and I do not say how".
/// Nothing when `frame` is not the outcome of something that was sent to the
/// peer.
[[nodiscard]] std::optional<std::string>
without_outcome(std::string_view frame);

} // namespace rookery::testing
