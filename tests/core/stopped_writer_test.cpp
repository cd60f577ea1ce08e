// Goal: a process that is stopped in the middle of a transaction does not keep
// the others from writing, and nothing of what it did is lost.
// Method: a real process on a real file, stopped by SIGSTOP.
#include "actors/store/stopped_writer.hpp"

#include "actors/store/database.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_directory.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace rookery;
using namespace rookery::store;
namespace fs = std::filesystem;

namespace {

std::uint64_t rows(database& db) {
  auto count = db.prepare("SELECT count(*) FROM t");
  auto result = count.run();
  REQUIRE(result.next());
  return result.number(0);
}

/// A process that stops itself in a transaction, and ends well after it.
class stopping_writer {
public:
  explicit stopping_writer(const fs::path& file) : pid_{::fork()} {
    if (pid_ == 0)
      ::_exit(write(file) ? 0 : 1);
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
    REQUIRE(WIFSTOPPED(status));
  }
  ~stopping_writer() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  [[nodiscard]] int pid() const { return pid_; }

  /// Waits for its end. @returns its exit code
  int join() {
    int status = 0;
    REQUIRE(::waitpid(std::exchange(pid_, 0), &status, 0) > 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

private:
  static bool write(const fs::path& file) {
    auto db = database::open(file, {});
    if (!db)
      return false;
    transaction mine{*db, transaction::kind::write};
    if (mine.error() || db->execute("INSERT INTO t VALUES (1)"))
      return false;
    std::raise(SIGSTOP);
    return !mine.commit();
  }

  int pid_;
};

struct fixture {
  fixture() {
    auto db = database::open(file, {});
    REQUIRE(db);
    REQUIRE(db->execute("CREATE TABLE t (x)") == caf::none);
  }

  temp_directory temp;
  fs::path file = temp.path() / "a.db";
};

} // namespace

TEST_CASE("stopped writer: is made to go on and keeps what it wrote",
          "[store]") {
  fixture f;
  stopping_writer other{f.file};
  CHECK(stopped_writer(f.file) == other.pid());
  std::vector<int> woken;
  database_options options;
  options.on_woken = [&](int process) { woken.push_back(process); };
  auto db = database::open(f.file, options);
  REQUIRE(db);
  {
    transaction mine{*db, transaction::kind::write};
    REQUIRE_FALSE(mine.error());
    REQUIRE(db->execute("INSERT INTO t VALUES (2)") == caf::none);
    REQUIRE_FALSE(mine.commit());
  }
  CHECK(woken == std::vector{other.pid()});
  CHECK(other.join() == 0);
  CHECK(rows(*db) == 2);
}

TEST_CASE("stopped writer: nobody is woken who holds nothing", "[store]") {
  fixture f;
  CHECK_FALSE(stopped_writer(f.file)); // nobody is there
  CHECK_FALSE(stopped_writer(f.temp.path() / "none.db"));
  stopping_writer other{f.file};
  fixture elsewhere;
  CHECK_FALSE(stopped_writer(elsewhere.file));
  REQUIRE(wake(other.pid()));
  CHECK(other.join() == 0);
}

TEST_CASE("stopped writer: a writer that works is left alone", "[store]") {
  fixture f;
  auto db = database::open(f.file, {});
  REQUIRE(db);
  transaction mine{*db, transaction::kind::write};
  REQUIRE_FALSE(mine.error());
  CHECK_FALSE(stopped_writer(f.file));
}
