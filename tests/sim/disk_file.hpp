#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::sim {

/// What a power loss did to writes that were not synced, in sectors.
struct sector_counts {
  std::uint64_t kept = 0;
  std::uint64_t lost = 0;
};

/// The content of a file, twice: as processes see it (the page cache), and as
/// it is on the medium. Between the two are the changes since the last sync.
///
/// A sector is written whole or not at all, and a write leaves the bytes
/// around it alone; SQLite counts on both on every modern medium (its word for
/// it is "powersafe overwrite").
class disk_file {
public:
  static constexpr std::size_t sector_bytes = 512;

  /// Reads what is there; fills the rest with zeros and returns false.
  [[nodiscard]] bool read(std::size_t offset, std::span<char> target) const;

  void write(std::size_t offset, std::string_view bytes);

  void truncate(std::size_t size);

  /// All changes so far are on the medium, size included.
  void sync();

  /// A sync that failed: any part of the changes is on the medium, and the
  /// cache takes all of them for written, as Linux does. A later sync writes
  /// only what was changed again.
  void fail_sync(std::mt19937_64& random);

  /// The cache is gone. Of the changes since the last sync survive: none, or
  /// all, or those before a torn one, or sectors in any order.
  sector_counts lose_power(std::mt19937_64& random);

  [[nodiscard]] std::size_t size() const { return cached_.size(); }
  [[nodiscard]] const std::string& cached() const { return cached_; }
  [[nodiscard]] const std::string& durable() const { return durable_; }

private:
  struct change {
    std::size_t offset;     // of the first sector; multiple of sector_bytes
    std::size_t bytes;      // 0 if this is a truncation
    std::size_t size_after; // of the file
  };

  void keep_some(std::mt19937_64& random, sector_counts& counts);
  void keep_sectors(std::size_t index, std::size_t snapshot,
                    std::mt19937_64& random, unsigned of_8,
                    sector_counts& counts);
  void forget_changes();

  std::string cached_;
  std::string durable_;
  std::vector<change> changes_; // in order
  /// The sectors of `changes_` as each change left them, one after the other.
  std::string snapshots_;
};

} // namespace rookery::sim
