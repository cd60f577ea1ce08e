#include "actors/store/statement.hpp"

#include "actors/errc.hpp"

namespace rookery::store {

caf::error last_error(sqlite3* connection) {
  const char* file = sqlite3_db_filename(connection, "main");
  auto code = sqlite3_extended_errcode(connection);
  auto reason = std::string{"store "} + (file ? file : "?") + ": "
                + sqlite3_errmsg(connection) + " (SQLite code "
                + std::to_string(code) + ")";
  return caf::make_error(actors::errc::store_failed, std::move(reason));
}

cursor::~cursor() {
  if (execution_ == nullptr)
    return;
  sqlite3_reset(execution_);
  sqlite3_clear_bindings(execution_);
}

bool cursor::next() {
  if (code_ != SQLITE_OK && code_ != SQLITE_ROW)
    return false;
  code_ = sqlite3_step(execution_);
  return code_ == SQLITE_ROW;
}

caf::error cursor::error() const {
  if (code_ == SQLITE_OK || code_ == SQLITE_ROW || code_ == SQLITE_DONE)
    return caf::none;
  return last_error(connection_);
}

std::uint64_t cursor::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(execution_, column));
}

std::string cursor::text(int column) const {
  auto data = sqlite3_column_text(execution_, column);
  auto size = sqlite3_column_bytes(execution_, column);
  if (data == nullptr)
    return {};
  return {reinterpret_cast<const char*>(data), static_cast<size_t>(size)};
}

int statement::compile() {
  if (handle_)
    return SQLITE_OK;
  sqlite3_stmt* compiled = nullptr;
  auto size = static_cast<int>(sql_.size()) + 1;
  auto code = sqlite3_prepare_v3(connection_, sql_.c_str(), size,
                                 SQLITE_PREPARE_PERSISTENT, &compiled, nullptr);
  handle_.reset(compiled);
  return code;
}

int statement::bind(int position, std::string_view text) {
  // An empty text needs an address, or SQLite makes it NULL.
  const char* data = text.empty() ? "" : text.data();
  return sqlite3_bind_text64(handle_.get(), position, data, text.size(),
                             SQLITE_TRANSIENT, SQLITE_UTF8);
}

} // namespace rookery::store
