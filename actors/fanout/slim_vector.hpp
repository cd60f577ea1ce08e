#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace rookery::actors {

/// A growing array of plain values with a 16-byte header.
/// Why not `std::vector`: a shard holds two or three of these for every user,
/// most of them empty, and 24 bytes each would be a third of an idle user.
template <class T>
requires std::is_trivially_copyable_v<T>
class slim_vector {
public:
  slim_vector() = default;
  slim_vector(slim_vector&& other) noexcept { swap(other); }
  slim_vector& operator=(slim_vector&& other) noexcept {
    slim_vector moved{std::move(other)};
    swap(moved);
    return *this;
  }
  slim_vector(const slim_vector&) = delete;
  slim_vector& operator=(const slim_vector&) = delete;
  ~slim_vector() { std::free(data_); }

  void swap(slim_vector& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  void push_back(T value) {
    if (size_ == capacity_)
      set_capacity(grown());
    data_[size_++] = value;
  }

  /// Inserts before position `at`, which is at most size().
  void insert(std::uint32_t at, T value) {
    if (size_ == capacity_)
      set_capacity(grown());
    std::copy_backward(data_ + at, data_ + size_, data_ + size_ + 1);
    data_[at] = value;
    ++size_;
  }

  /// Removes `count` values from position `at` on.
  void erase(std::uint32_t at, std::uint32_t count = 1) {
    std::copy(data_ + at + count, data_ + size_, data_ + at);
    size_ -= count;
  }

  /// Shortens to `size` values and gives the rest of the room back.
  void shrink(std::uint32_t size) {
    size_ = std::min(size, size_);
    set_capacity(size_);
  }

  /// Makes room for exactly `capacity` values, at least size().
  void set_capacity(std::uint32_t capacity) {
    if (capacity == 0) {
      std::free(std::exchange(data_, nullptr));
    } else {
      auto* data = std::realloc(data_, capacity * sizeof(T));
      if (data == nullptr)
        throw std::bad_alloc{};
      data_ = static_cast<T*>(data);
    }
    capacity_ = capacity;
  }

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] T* begin() noexcept { return data_; }
  [[nodiscard]] T* end() noexcept { return data_ + size_; }
  [[nodiscard]] const T* begin() const noexcept { return data_; }
  [[nodiscard]] const T* end() const noexcept { return data_ + size_; }
  [[nodiscard]] T& operator[](std::uint32_t at) noexcept { return data_[at]; }
  [[nodiscard]] const T& operator[](std::uint32_t at) const noexcept {
    return data_[at];
  }
  [[nodiscard]] const T& back() const noexcept { return data_[size_ - 1]; }
  [[nodiscard]] std::span<const T> view() const noexcept {
    return {data_, size_};
  }

private:
  [[nodiscard]] std::uint32_t grown() const noexcept {
    return std::max<std::uint32_t>(4, size_ + size_ / 2);
  }

  T* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

} // namespace rookery::actors
