#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rookery::broker {

struct value;
struct value_entry;

/// In the order of the wire; no key is looked up often enough for more.
using value_map = std::vector<value_entry>;
using value_list = std::vector<value>;

/// The values that management bodies are made of. Integers of all AMQP types
/// are read as `std::int64_t`; what we write says how wide it is.
struct value {
  /// A value of any other type, such as a timestamp: there, but unreadable.
  struct unknown {};

  using state_type =
      std::variant<std::monostate, bool, std::int64_t, std::uint64_t,
                   std::uint32_t, std::string, value_map, value_list, unknown>;

  value() = default;
  template <class T>
  value(T x) : state{std::move(x)} {}
  value(const char* x);
  value(std::string_view x);

  template <class T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&state);
  }
  [[nodiscard]] bool is_null() const { return state.index() == 0; }

  state_type state;
};

struct value_entry {
  std::string key;
  value content;
};

// Here, where an entry is a whole type.
inline value::value(const char* x) : state{std::string{x}} {}
inline value::value(std::string_view x) : state{std::string{x}} {}

/// Reads one encoded value. Nothing when the bytes are not exactly one value,
/// when a key is neither string nor symbol, or when maps and lists lie deeper
/// than four in one another: no request needs more, and it bounds the stack.
[[nodiscard]] std::optional<value> decode_value(std::string_view bytes);

/// Appends `x`, encoded, to `out`.
void encode_value(const value& x, std::string& out);

} // namespace rookery::broker
