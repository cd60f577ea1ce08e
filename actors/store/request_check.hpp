#pragma once

#include <caf/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace rookery::store {

/// Bytes of an idempotency key.
inline constexpr std::size_t key_bytes_max = 64;

/// None, or errc::key_too_long.
[[nodiscard]] caf::error check_key(std::string_view key);

/// None if min <= value <= max, or errc::invalid_argument with all of them.
[[nodiscard]] caf::error check_range(const std::string& field,
                                     std::uint64_t value, std::uint64_t min,
                                     std::uint64_t max);

/// None if `user` belongs to `index` of `count`, or errc::wrong_partition.
[[nodiscard]] caf::error
check_partition(std::uint64_t user, std::uint32_t index, std::uint32_t count);

} // namespace rookery::store
