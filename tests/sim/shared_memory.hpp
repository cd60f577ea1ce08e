#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace rookery::sim {

/// The memory of one WAL-index. It lives as long as an open file maps it.
class shared_memory {
public:
  shared_memory();
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;
  ~shared_memory();

private:
  friend class shared_mapping;

  /// Makes it at least `bytes` long. False if the system has no more.
  [[nodiscard]] bool grow(std::size_t bytes);

  int descriptor_; // -1 if the system had none
  std::size_t bytes_ = 0;
};

/// How one process sees a `shared_memory`: real mappings, since SQLite
/// writes into them without asking. A process that was killed keeps pointers
/// into them until its handles are closed; `leave` and `isolate` see to it that
/// nobody else notices what it still writes.
class shared_mapping {
public:
  explicit shared_mapping(std::shared_ptr<shared_memory> memory);
  shared_mapping(const shared_mapping&) = delete;
  shared_mapping& operator=(const shared_mapping&) = delete;
  ~shared_mapping();

  /// The address of a region, all regions having `bytes`, a multiple of the
  /// page size; null if the system has no more.
  [[nodiscard]] void* region(std::size_t index, std::size_t bytes);

  /// Whether it has to grow to have such a region.
  [[nodiscard]] bool grows(std::size_t index, std::size_t bytes) const {
    return (index + 1) * bytes > memory_->bytes_;
  }

  /// From now on this does not keep the memory alive. No more regions.
  /// @returns it: gone when nobody else has it
  [[nodiscard]] std::weak_ptr<shared_memory> leave();

  /// From now on what is behind the same addresses is private: a copy, as it
  /// is written to. @pre `leave` returned `memory`
  void isolate(const shared_memory& memory);

private:
  struct mapped {
    void* address = nullptr;
    std::size_t offset = 0;
    std::size_t bytes = 0;
  };

  std::shared_ptr<shared_memory> memory_;
  std::vector<mapped> regions_; // by index; address null if not mapped
};

} // namespace rookery::sim
