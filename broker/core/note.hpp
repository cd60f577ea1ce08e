#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace rookery::broker {

/// An annotation that a consumer wants on a message which it gave up.
struct note {
  std::string key;
  std::string value; // as it is encoded
};

using notes_ptr = std::shared_ptr<const std::vector<note>>;

/// What the notes of one message may take together, bytes. A message may die
/// any number of times, and of each consumer come notes of other names.
inline constexpr std::size_t note_bytes_max = 16 * 1024;

/// What each of them takes besides its characters: two strings, on the heap.
inline constexpr std::size_t note_overhead_bytes = 96;

/// And how many they may be.
inline constexpr std::size_t notes_max = 64;

/// What they take.
[[nodiscard]] std::size_t bytes_of(const std::vector<note>& notes);

/// Both, where a key is in both the newer; the older are left out that do not
/// fit. Null where both are.
[[nodiscard]] notes_ptr merged(const notes_ptr& newer, const notes_ptr& older);

} // namespace rookery::broker
