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

/// Whether no queue took what was asked, which therefore nobody can have done,
/// and one may take it later: it is being made, or full.
[[nodiscard]] bool waits_for_queue(const caf::error& x);

/// Whether asking the same again can end in another way: it went wrong on the
/// way, or in a service that was busy, starting or taken over.
[[nodiscard]] bool is_temporary(const caf::error& x);

/// Whether the service said that it can never do what was asked for.
[[nodiscard]] bool is_final(const caf::error& x);

} // namespace rookery::nodes
