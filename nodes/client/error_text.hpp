#pragma once

#include <caf/error.hpp>

#include <string>

namespace rookery::nodes {

/// An error of the service, the bridge or CAF in words for a human, with what
/// its context adds.
[[nodiscard]] std::string error_text(const caf::error& x);

/// Whether the service, or our own bridge before anything was sent, refused:
/// then nothing was changed. Otherwise what was asked for may have happened.
[[nodiscard]] bool is_refusal(const caf::error& x);

} // namespace rookery::nodes
