#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The columns and parameters of a prepared statement, by its owning pointer.
namespace rookery::bridge {

inline std::int64_t to_signed(std::uint64_t x) {
  return static_cast<std::int64_t>(x);
}

inline std::uint64_t unsigned_at(const auto& x, int column) {
  return static_cast<std::uint64_t>(sqlite3_column_int64(x.get(), column));
}

inline std::string bytes_at(const auto& x, int column) {
  const auto* data = sqlite3_column_blob(x.get(), column);
  const auto size = sqlite3_column_bytes(x.get(), column);
  return data ? std::string{static_cast<const char*>(data),
                            static_cast<std::size_t>(size)}
              : std::string{};
}

inline void set_number(const auto& x, int at, std::uint64_t value) {
  sqlite3_bind_int64(x.get(), at, to_signed(value));
}

// Both may fail for want of memory only; then the value is NULL, which the
// schema refuses.
inline void set_text(const auto& x, int at, std::string_view value) {
  sqlite3_bind_text64(x.get(), at, value.data(), value.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}
inline void set_bytes(const auto& x, int at, std::string_view value) {
  sqlite3_bind_blob64(x.get(), at, value.data(), value.size(), SQLITE_STATIC);
}

} // namespace rookery::bridge
