#pragma once

#include "bridge/core/dedupe.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rookery::bridge {

/// The streams that come to one address, and what became of the messages of
/// each. Remembers at most `streams_max` of them: the one used least recently
/// makes room. Memory: a quarter of a byte per message of each window, and up
/// to 8 bytes more where messages fail. Pure; one thread.
class dedupe_table {
public:
  /// @param streams_max 0 = remember nothing
  /// @param window of each stream, in messages, >= 1
  dedupe_table(std::size_t streams_max, std::uint32_t window);

  /// The memory of `stream`, an empty one when it is new or was forgotten. Who
  /// holds it may go on using it; null when the table remembers nothing.
  [[nodiscard]] std::shared_ptr<dedupe> at(std::string_view stream);

  [[nodiscard]] std::size_t size() const noexcept { return newest_.size(); }

private:
  struct entry {
    std::string stream;
    std::shared_ptr<dedupe> messages;
  };
  using list = std::list<entry>;

  std::size_t streams_max_;
  std::uint32_t window_;
  list newest_; // the one used last is first
  // By name, which lies in the entry.
  std::unordered_map<std::string_view, list::iterator> by_name_;
};

} // namespace rookery::bridge
