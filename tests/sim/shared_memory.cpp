#include "tests/sim/shared_memory.hpp"

#include "bridge/assert.hpp"

#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace rookery::sim {

namespace {

/// A mapping of a part of `descriptor`, at `address` if that is not null.
void* map(void* address, std::size_t bytes, int flags, int descriptor,
          std::size_t offset) {
  if (address)
    flags |= MAP_FIXED;
  auto result = mmap(address, bytes, PROT_READ | PROT_WRITE, flags, descriptor,
                     static_cast<off_t>(offset));
  return result == MAP_FAILED ? nullptr : result;
}

} // namespace

shared_memory::shared_memory()
    : descriptor_(memfd_create("wal-index", MFD_CLOEXEC)) {}

shared_memory::~shared_memory() {
  if (descriptor_ >= 0)
    close(descriptor_);
}

bool shared_memory::grow(std::size_t bytes) {
  if (bytes <= bytes_)
    return true;
  if (descriptor_ < 0 || ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0)
    return false;
  bytes_ = bytes;
  return true;
}

shared_mapping::shared_mapping(std::shared_ptr<shared_memory> memory)
    : memory_(std::move(memory)) {}

shared_mapping::~shared_mapping() {
  for (auto& x : regions_)
    if (x.address)
      munmap(x.address, x.bytes);
}

void* shared_mapping::region(std::size_t index, std::size_t bytes) {
  if (index >= regions_.size())
    regions_.resize(index + 1);
  auto& x = regions_[index];
  if (!x.address && memory_->grow((index + 1) * bytes)) {
    x = {nullptr, index * bytes, bytes};
    x.address = map(nullptr, bytes, MAP_SHARED | MAP_POPULATE,
                    memory_->descriptor_, x.offset);
  }
  return x.address;
}

std::weak_ptr<shared_memory> shared_mapping::leave() {
  return std::exchange(memory_, nullptr);
}

void shared_mapping::isolate(const shared_memory& memory) {
  for (auto& x : regions_)
    if (x.address)
      ROOKERY_ASSERT(
          map(x.address, x.bytes, MAP_PRIVATE, memory.descriptor_, x.offset)
          == x.address);
}

} // namespace rookery::sim
