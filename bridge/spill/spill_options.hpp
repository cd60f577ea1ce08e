#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace rookery::bridge {

/// Where messages wait that are sent with `overflow::spill` and find no room.
struct spill_options {
  /// Made if it is not there, with the directories above it. One bridge at a
  /// time has it; the next one sends what the last one left in it.
  std::filesystem::path file = {};
  /// Of the messages in it, 1 or more. The file is a little larger, and does
  /// not shrink.
  std::uint64_t bytes_max = std::uint64_t{1} << 30;
  /// Messages to one destination that wait in memory before the next goes to
  /// the file; what is in memory is lost with the process. 0 = each is in the
  /// file before it is sent. No more than `send_queue_limits::messages_max`.
  std::size_t messages_in_memory_max = 1'024;
  /// Name of a registered SQLite VFS; empty is the operating system's. This is
  /// where a simulated disk goes.
  std::string vfs = {};
};

} // namespace rookery::bridge
