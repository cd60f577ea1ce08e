#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace rookery::tests {

/// The bytes of one run. What decides how the target is set up is taken from
/// the end, so that the front is what a peer would send, byte for byte.
class fuzz_input {
public:
  fuzz_input(const std::uint8_t* data, std::size_t size)
      : left_{reinterpret_cast<const char*>(data), size} {}

  /// The next byte from the end; 0 when there is none.
  std::uint8_t choice() {
    if (left_.empty())
      return 0;
    const auto result = static_cast<std::uint8_t>(left_.back());
    left_.remove_suffix(1);
    return result;
  }

  [[nodiscard]] std::string_view rest() const { return left_; }

private:
  std::string_view left_;
};

/// A copy in memory of just its size, so that AddressSanitizer sees a read
/// behind its end.
class exact_copy {
public:
  explicit exact_copy(std::string_view of)
      : bytes_{std::make_unique<char[]>(of.size())},
        size_{of.size()} {
    if (size_ > 0)
      std::memcpy(bytes_.get(), of.data(), size_);
  }

  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

} // namespace rookery::tests
