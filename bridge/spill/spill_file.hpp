#pragma once

#include "bridge/expected.hpp"
#include "bridge/spill/spill_options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace rookery::bridge {

/// Messages that wait for their destination in a file: SQLite, in WAL mode with
/// synchronous=FULL, so what `write` wrote has been fsynced.
/// @thread any, one at a time
class spill_file {
public:
  struct message {
    std::uint64_t place = 0; // in the order of all, from 1; names the message
    std::string address;     // text form
    std::string bytes;
    std::int64_t expires = 0; // ms since the epoch; 0 = never
    std::uint64_t waiting = 0;
    bool ends_stored = false;
    bool packs = false; // see amqp::outgoing
  };
  struct backlog {
    std::string address;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
  };
  using error = std::optional<std::string>;
  struct fate {
    error why;            // it failed
    bool damaged = false; // and damage was why, or a disk that cannot be read
  };

  /// Opens or makes the file, and looks at the whole of it: a second for 200 MB
  /// or so. On failure one sentence that names it: no database, not a spill,
  /// damaged, in use by another process, no permission.
  [[nodiscard]] static expected<std::shared_ptr<spill_file>, std::string>
  open(spill_options options);

  [[nodiscard]] const spill_options& options() const { return options_; }
  /// Lets go of the file, which is not to be read or written any more.
  void close();
  /// The same, and leaves it as it is, for it is damaged.
  void abandon();
  /// What was in it when it was opened.
  [[nodiscard]] const std::vector<backlog>& found() const { return found_; }
  /// The last place that was taken then.
  [[nodiscard]] std::uint64_t last_place() const { return last_place_; }

  /// Takes `ended` out and puts `added` in, or neither, though after a failed
  /// fsync the next process may find it done.
  [[nodiscard]] fate write(const std::vector<message>& added,
                           const std::vector<std::uint64_t>& ended);

  /// Appends to `out` what waits for `address` behind `place`, in order: up to
  /// `count_max` messages, and no more once they have `bytes_max`. Nothing when
  /// it fails.
  [[nodiscard]] fate read(const std::string& address, std::uint64_t place,
                          std::size_t count_max, std::size_t bytes_max,
                          std::vector<message>& out);

private:
  struct closer {
    void operator()(sqlite3* x) const;
    void operator()(sqlite3_stmt* x) const;
  };
  using statement = std::unique_ptr<sqlite3_stmt, closer>;

  explicit spill_file(spill_options options);
  error connect();
  error prepare_schema();
  error settle_wal();
  error prepare_statements();
  error check();
  error take_stock();
  error execute(const char* sql);
  error prepare(const char* sql, statement& out);
  error step(const statement& x);
  [[nodiscard]] std::string fault() const;
  // Whether the call that has just failed met damage.
  [[nodiscard]] bool is_damaged() const;
  error change(const std::vector<message>& added,
               const std::vector<std::uint64_t>& ended);

  spill_options options_;
  std::unique_ptr<sqlite3, closer> handle_;
  statement insert_;
  statement erase_;
  statement select_;
  std::vector<backlog> found_;
  std::uint64_t last_place_ = 0;
};

} // namespace rookery::bridge
