#pragma once

#include "actors/store/database.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rookery::tests {

using numbers = std::vector<std::uint64_t>;

/// A process with one database that has one table of numbers.
struct client {
  client(sim::disk& owner, int name) : process(owner.start(name)) {
    auto opened = store::database::open("/data/x.db", options());
    REQUIRE(opened);
    db.emplace(std::move(*opened));
    REQUIRE(execute("CREATE TABLE IF NOT EXISTS numbers(n, text)") == "");
  }

  [[nodiscard]] store::database_options options() const {
    return {.busy_timeout = std::chrono::milliseconds{3}, .vfs = process.vfs()};
  }

  /// @returns what went wrong.
  std::string execute(const std::string& sql) {
    auto error = db->execute(sql);
    return error ? caf::to_string(error) : "";
  }

  std::string insert(int number) {
    return execute("INSERT INTO numbers VALUES(" + std::to_string(number)
                   + ", hex(zeroblob(2000)))");
  }

  tests::numbers numbers() {
    return column("SELECT n FROM numbers ORDER BY n");
  }

  tests::numbers column(const std::string& sql) {
    auto select = db->prepare(sql);
    auto rows = select.run();
    tests::numbers result;
    while (rows.next())
      result.push_back(rows.number(0));
    CHECK(rows.error() == caf::none);
    return result;
  }

  [[nodiscard]] bool is_whole() {
    auto check = db->prepare("PRAGMA integrity_check");
    auto rows = check.run();
    return rows.next() && rows.text(0) == "ok";
  }

  sim::disk_process process;
  std::optional<store::database> db;
};

inline bool says(const std::string& text, const std::string& words) {
  INFO(text);
  CHECK(text.find(words) != std::string::npos);
  return text.find(words) != std::string::npos;
}

} // namespace rookery::tests
