#pragma once

#include "bridge/expected.hpp"
#include "bridge/spill/spill_options.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
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
    bool damaged = false; // and damage was why
  };

  /// Opens or makes the file. On failure one sentence that names it: no
  /// database, not a spill, in use by another process, no permission.
  [[nodiscard]] static expected<std::shared_ptr<spill_file>, std::string>
  open(spill_options options);

  [[nodiscard]] const spill_options& options() const { return options_; }
  /// Lets go of the file. Nothing but this may be called any more.
  void close();
  /// What was in it when it was opened.
  [[nodiscard]] const std::vector<backlog>& found() const { return found_; }
  /// The last place that was taken then.
  [[nodiscard]] std::uint64_t last_place() const { return last_place_; }

  struct written {
    error why; // it failed
    /// Of `ended`: could not be taken out, because the file is damaged there.
    std::vector<std::uint64_t> left = {};
  };
  /// Takes `ended` out and puts `added` in; when it fails nothing is put in,
  /// though after a failed fsync the next process may find it done. What is
  /// damaged stays in the file, and is no failure.
  [[nodiscard]] written write(const std::vector<message>& added,
                              const std::vector<std::uint64_t>& ended);

  /// Appends to `out` what waits for `address` behind `place`, in order: up to
  /// `count_max` messages, and no more once they have `bytes_max`. Damaged is
  /// what will be no better the next time, as far as is known.
  [[nodiscard]] fate read(const std::string& address, std::uint64_t place,
                          std::size_t count_max, std::size_t bytes_max,
                          std::vector<message>& out);

  /// What `read` could not read, because the file is damaged there.
  struct loss {
    message what; // without its bytes; from `place` on as far as can be read
    std::uint64_t bytes = 0;
  };
  /// The first behind `place`, when `read` has just met damage there. It stays
  /// in the file: what is damaged cannot be taken out.
  [[nodiscard]] std::optional<loss> find_loss(const std::string& address,
                                              std::uint64_t place);

  /// Makes the index anew if it is damaged, and no row is, but not again after
  /// it was not or did not. @returns whether it did: then what was not found
  /// may be there
  bool mend_index();
  /// Once more it may.
  void may_mend() { may_mend_ = true; }
  /// Whether it may not, for it has been looked at.
  [[nodiscard]] bool has_looked() const { return !may_mend_; }
  /// Whether it is not known if there was anything to mend, or that could not
  /// be done for a reason that may pass, as on a full disk. Then what looks
  /// damaged may be read when it is mended; not after `doubts_max` times.
  [[nodiscard]] bool in_doubt() const {
    return doubts_ > 0 && doubts_ < doubts_max;
  }
  static constexpr int doubts_max = 30;

private:
  struct closer {
    void operator()(sqlite3* x) const;
    void operator()(sqlite3_stmt* x) const;
  };
  using statement = std::unique_ptr<sqlite3_stmt, closer>;

  // Place is the row's id, which is in each entry. What is in the index is in
  // the rows as well.
  static constexpr auto make_index =
      "CREATE INDEX message_to ON message(address)";
  struct stock {
    std::map<std::string, backlog> found; // by address
    std::uint64_t last_place = 0;
  };

  explicit spill_file(spill_options options);
  error connect();
  error prepare_schema();
  error settle_wal();
  error prepare_statements();
  error take_stock();
  expected<stock, std::string> count(bool by_index);
  fate select(const std::string& address, std::uint64_t place,
              std::size_t count_max, std::size_t bytes_max, bool in_order,
              std::vector<message>& out);
  std::optional<bool> index_is_wrong();
  // Whether it was; nothing if who knows.
  std::optional<bool> try_mend_index();
  void roll_back();
  error execute(const char* sql);
  error prepare(const char* sql, statement& out);
  error step(const statement& x);
  [[nodiscard]] std::string fault() const;
  // Whether the call that has just failed met damage.
  [[nodiscard]] bool is_damaged() const;
  fate transact(const std::vector<message>& added,
                const std::vector<std::uint64_t>& ended);
  fate change(const std::vector<message>& added,
              const std::vector<std::uint64_t>& ended);

  spill_options options_;
  std::unique_ptr<sqlite3, closer> handle_;
  statement insert_;
  statement erase_;
  statement select_;
  statement select_head_;
  statement select_place_;
  std::vector<backlog> found_;
  std::uint64_t last_place_ = 0;
  bool may_mend_ = true; // it takes long
  int doubts_ = 0;       // times that it ended so, one after the other
};

} // namespace rookery::bridge
