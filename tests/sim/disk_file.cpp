#include "tests/sim/disk_file.hpp"

#include <algorithm>
#include <cstring>

namespace rookery::sim {

bool disk_file::read(std::size_t offset, std::span<char> target) const {
  auto there = offset < cached_.size()
                   ? std::min(target.size(), cached_.size() - offset)
                   : std::size_t{0};
  std::copy_n(cached_.data() + (there > 0 ? offset : 0), there, target.data());
  std::fill(target.begin() + static_cast<std::ptrdiff_t>(there), target.end(),
            '\0');
  return there == target.size();
}

void disk_file::write(std::size_t offset, std::string_view bytes) {
  auto end = offset + bytes.size();
  if (offset == cached_.size()) {
    cached_.append(bytes);
  } else {
    if (end > cached_.size())
      cached_.resize(end);
    std::copy(bytes.begin(), bytes.end(), cached_.data() + offset);
  }
  auto first = offset / sector_bytes * sector_bytes;
  auto last = (end + sector_bytes - 1) / sector_bytes * sector_bytes;
  last = std::min(last, cached_.size());
  changes_.push_back({first, last - first, cached_.size()});
  snapshots_.append(cached_, first, last - first);
}

void disk_file::truncate(std::size_t size) {
  cached_.resize(size);
  changes_.push_back({0, 0, size});
}

void disk_file::sync() {
  for (auto& x : changes_)
    if (x.bytes == 0 && x.size_after < durable_.size())
      durable_.resize(x.size_after);
  // Only what was changed: a sync that failed before may have lost the rest.
  durable_.resize(cached_.size());
  for (auto& x : changes_)
    if (x.offset < cached_.size())
      std::memcpy(durable_.data() + x.offset, cached_.data() + x.offset,
                  std::min(x.bytes, cached_.size() - x.offset));
  forget_changes();
}

void disk_file::fail_sync(std::mt19937_64& random) {
  sector_counts ignored;
  keep_some(random, ignored);
  forget_changes();
}

sector_counts disk_file::lose_power(std::mt19937_64& random) {
  sector_counts result;
  keep_some(random, result);
  forget_changes();
  cached_ = durable_;
  return result;
}

void disk_file::keep_some(std::mt19937_64& random, sector_counts& counts) {
  enum { none, all, prefix, any_order, ways };
  auto way = random() % ways;
  auto torn = changes_.empty() ? 0 : random() % changes_.size();
  auto any = static_cast<unsigned>(1 + random() % 7);
  std::size_t snapshot = 0;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    unsigned of_8 = way == all ? 8 : 0;
    if (way == any_order || (way == prefix && i == torn))
      of_8 = any;
    else if (way == prefix && i < torn)
      of_8 = 8;
    keep_sectors(i, snapshot, random, of_8, counts);
    snapshot += changes_[i].bytes;
  }
}

void disk_file::keep_sectors(std::size_t index, std::size_t snapshot,
                             std::mt19937_64& random, unsigned of_8,
                             sector_counts& counts) {
  auto& x = changes_[index];
  if (x.bytes == 0 && random() % 8 < of_8)
    durable_.resize(x.size_after);
  for (std::size_t done = 0; done < x.bytes; done += sector_bytes) {
    auto keep = random() % 8 < of_8;
    ++(keep ? counts.kept : counts.lost);
    if (!keep)
      continue;
    auto bytes = std::min(sector_bytes, x.bytes - done);
    auto end = x.offset + done + bytes;
    if (end > durable_.size())
      durable_.resize(end);
    std::memcpy(durable_.data() + end - bytes,
                snapshots_.data() + snapshot + done, bytes);
  }
}

void disk_file::forget_changes() {
  changes_.clear();
  snapshots_.clear();
}

} // namespace rookery::sim
