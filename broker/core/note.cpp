#include "broker/core/note.hpp"

#include <algorithm>

namespace rookery::broker {

namespace {

std::size_t bytes_of(const note& x) {
  return note_overhead_bytes + x.key.size() + x.value.size();
}

} // namespace

std::size_t bytes_of(const std::vector<note>& notes) {
  std::size_t result = 0;
  for (const auto& each : notes)
    result += bytes_of(each);
  return result;
}

notes_ptr merged(const notes_ptr& newer, const notes_ptr& older) {
  if (!newer || !older)
    return newer ? newer : older;
  auto result = *newer;
  auto bytes = bytes_of(result);
  for (const auto& each : *older) {
    const auto known =
        std::any_of(newer->begin(), newer->end(),
                    [&](const note& x) { return x.key == each.key; });
    if (known || result.size() >= notes_max
        || bytes + bytes_of(each) > note_bytes_max)
      continue;
    bytes += bytes_of(each);
    result.push_back(each);
  }
  return std::make_shared<const std::vector<note>>(std::move(result));
}

} // namespace rookery::broker
