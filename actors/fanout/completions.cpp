#include "actors/fanout/completions.hpp"

#include <algorithm>

namespace rookery::actors {

void completions::push(entry x) {
  if (entries_.size() < entries_max_)
    entries_.push_back(x);
  else
    entries_[pushed_ % entries_max_] = x;
  ++pushed_;
}

completions::page completions::read(std::uint64_t after,
                                    std::uint32_t limit) const {
  auto oldest = pushed_ - entries_.size(); // numbers up to this are gone
  // A reader that is ahead has read from an earlier incarnation of the shard.
  if (after > pushed_)
    after = 0;
  auto from = std::max(after, oldest);
  page result{{}, from, from - after};
  while (result.next < pushed_ && result.entries.size() < limit)
    result.entries.push_back(entries_[result.next++ % entries_max_]);
  return result;
}

} // namespace rookery::actors
