#pragma once

#include <caf/error.hpp>
#include <sqlite3.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rookery::store {

/// What went wrong last on `connection`, as errc::store_failed that names the
/// file: "store <file>: <reason> (SQLite code <n>)".
[[nodiscard]] caf::error last_error(sqlite3* connection);

/// The rows of one execution of a statement. Ends the execution in its
/// destructor, so that no read lock outlives it. @thread the connection's
class cursor {
public:
  cursor(sqlite3* connection, sqlite3_stmt* execution, int code)
      : connection_(connection),
        execution_(execution),
        code_(code) {}
  cursor(const cursor&) = delete;
  cursor& operator=(const cursor&) = delete;
  ~cursor();

  /// Goes to the next row. False at the end and after a failure: look at
  /// `error()` once it is false.
  [[nodiscard]] bool next();

  /// None, or why `next()` ended early.
  [[nodiscard]] caf::error error() const;

  /// Column values of the current row. Unsigned numbers are bit-cast.
  [[nodiscard]] std::uint64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;

private:
  sqlite3* connection_;
  sqlite3_stmt* execution_; // null when it could not be compiled
  int code_; // of the last call into SQLite; SQLITE_ROW while there is a row
};

/// A statement of `database::prepare`, compiled by its first run: a store has
/// more of them than its owner may ever use. Parameters are ?1, ?2, ... in the
/// order of the arguments of `run`: integers (unsigned ones bit-cast to int64)
/// and texts. Must not outlive its database. @thread the connection's
class statement {
public:
  /// Of no database: to be assigned, not to be run.
  statement() = default;

  /// Starts an execution. At most one cursor of a statement exists at a time.
  template <class... Ts>
  [[nodiscard]] cursor run(const Ts&... arguments) {
    int position = 0;
    int code = compile();
    ((code = code == SQLITE_OK ? bind(++position, arguments) : code), ...);
    return {connection_, handle_.get(), code};
  }

  /// Executes to the end and ignores rows.
  template <class... Ts>
  [[nodiscard]] caf::error execute(const Ts&... arguments) {
    auto rows = run(arguments...);
    while (rows.next()) {
    }
    return rows.error();
  }

private:
  friend class database;

  struct closer {
    void operator()(sqlite3_stmt* x) const { sqlite3_finalize(x); }
  };

  statement(sqlite3* connection, std::string sql)
      : connection_(connection),
        sql_(std::move(sql)) {}

  int compile();

  template <std::integral T>
  int bind(int position, T value) {
    return sqlite3_bind_int64(handle_.get(), position,
                              static_cast<std::int64_t>(value));
  }
  int bind(int position, std::string_view text);

  sqlite3* connection_ = nullptr;
  std::string sql_;
  std::unique_ptr<sqlite3_stmt, closer> handle_;
};

} // namespace rookery::store
