#include "actors/store/request_check.hpp"

#include "actors/errc.hpp"
#include "actors/partition.hpp"

namespace rookery::store {

using actors::errc;

caf::error check_key(std::string_view key) {
  if (key.size() <= key_bytes_max)
    return caf::none;
  return caf::make_error(errc::key_too_long,
                         std::to_string(key.size()) + " bytes, at most "
                             + std::to_string(key_bytes_max));
}

caf::error check_range(const std::string& field, std::uint64_t value,
                       std::uint64_t min, std::uint64_t max) {
  if (value >= min && value <= max)
    return caf::none;
  return caf::make_error(errc::invalid_argument,
                         field + " is " + std::to_string(value)
                             + ", allowed are " + std::to_string(min) + ".."
                             + std::to_string(max));
}

caf::error check_partition(std::uint64_t user, std::uint32_t index,
                           std::uint32_t count) {
  auto home = actors::partition_of(user, count);
  if (home == index)
    return caf::none;
  return caf::make_error(errc::wrong_partition,
                         "user " + std::to_string(user) + " belongs to "
                             + std::to_string(home) + " of "
                             + std::to_string(count) + ", here is "
                             + std::to_string(index));
}

} // namespace rookery::store
