#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace rookery::broker {

/// Lets a map of strings be searched by a view, without making a string.
struct name_hash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>{}(name);
  }
};

template <class Value>
using name_map =
    std::unordered_map<std::string, Value, name_hash, std::equal_to<>>;

} // namespace rookery::broker
