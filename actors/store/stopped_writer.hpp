#pragma once

#include <filesystem>
#include <optional>

namespace rookery::store {

/// The process that is stopped (SIGSTOP, job control) in the middle of a
/// transaction that writes the SQLite database `file`, and so keeps everybody
/// else from writing. Nothing when there is none, and when it cannot be seen:
/// in another PID namespace, or of a system without /proc/locks.
[[nodiscard]] std::optional<int>
stopped_writer(const std::filesystem::path& file);

/// Lets a process go on (SIGCONT), so that it ends its transaction: that
/// commits, before the takeover of whoever waits; the next one is fenced.
/// @returns false when it may not be, or is gone
bool wake(int process);

} // namespace rookery::store
