// Goal: what a client was told survives in the journal, and a journal cut off
// at any byte still reads, with nothing in it that was not written.
#include "nodes/load/journal.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/failing_input.hpp"

#include <filesystem>
#include <sstream>
#include <unistd.h>

namespace {

using namespace rookery::nodes;
using kind = operation_kind;

std::string path() {
  return (std::filesystem::temp_directory_path()
          / ("rookery-journal-" + std::to_string(getpid())))
      .string();
}

std::string content(const std::string& name) {
  std::ifstream input{name};
  return {std::istreambuf_iterator<char>{input}, {}};
}

journal parsed(const std::string& text) {
  journal result;
  std::istringstream input{text};
  REQUIRE(read_journal(input, result) == "");
  return result;
}

std::string fault(const std::string& text) {
  journal ignored;
  std::istringstream input{text};
  return read_journal(input, ignored);
}

} // namespace

TEST_CASE("journal: what is written is read back", "[nodes][journal]") {
  auto name = path();
  {
    journal_writer uut{name};
    uut.imported({7, 8});
    auto post_number = uut.tried({kind::post, 1, 0});
    auto delete_number = uut.tried({kind::remove, 1, 99});
    auto follow_number = uut.tried({kind::follow, 1, 2});
    CHECK(uut.tried({kind::read, 1, 0}) == 0);
    uut.ended(follow_number, ending::acknowledged);
    uut.ended(post_number, ending::acknowledged, 1234);
    uut.ended(delete_number, ending::refused);
    (void)uut.tried({kind::unfollow, 1, 2});
    CHECK(uut.flush());
  }
  auto x = parsed(content(name));
  std::filesystem::remove(name);
  REQUIRE(x.entries.size() == 5);
  CHECK(x.entries[0].what == operation{kind::follow, 7, 8});
  CHECK(x.entries[0].imported);
  x.entries.erase(x.entries.begin());
  CHECK(x.entries[0].what == operation{kind::post, 1, 0});
  CHECK(x.entries[0].how == ending::acknowledged);
  CHECK(x.entries[0].tweet == 1234);
  CHECK(x.entries[1].what == operation{kind::remove, 1, 99});
  CHECK(x.entries[1].how == ending::refused);
  CHECK(x.entries[2].how == ending::acknowledged);
  CHECK(x.entries[3].what == operation{kind::unfollow, 1, 2});
  CHECK(x.entries[3].how == ending::unknown);
}

TEST_CASE("journal: of an import without an end nothing is known",
          "[nodes][journal]") {
  auto name = path();
  {
    journal_writer uut{name};
    uut.importing({7, 8});
    uut.importing({8, 9});
    uut.imported({8, 9});
    CHECK(uut.flush());
  }
  auto x = parsed(content(name));
  std::filesystem::remove(name);
  REQUIRE(x.entries.size() == 3);
  CHECK(x.entries[0].what == operation{kind::follow, 7, 8});
  CHECK(x.entries[0].how == ending::unknown);
  CHECK(x.entries[1].how == ending::unknown);
  CHECK(x.entries[2].what == operation{kind::follow, 8, 9});
  CHECK(x.entries[2].how == ending::acknowledged);
}

TEST_CASE("journal: a disk that fails is not the end of the file",
          "[nodes][journal]") {
  rookery::failing_input input{"run\ntry 1 post 5\n"};
  journal ignored;
  CHECK(read_journal(input, ignored) == "cannot be read to its end");
}

TEST_CASE("journal: a second run starts its numbers again",
          "[nodes][journal]") {
  auto x = parsed("run\ntry 1 post 5\nrun\ntry 1 post 6\nok 1 77\n");
  REQUIRE(x.entries.size() == 2);
  CHECK(x.entries[0].how == ending::unknown);
  CHECK(x.entries[1].tweet == 77);
}

TEST_CASE("journal: cut off at any byte, it reads up to its last whole line",
          "[nodes][journal]") {
  std::string text =
      "run\nedge 1 2\ntry 1 post 5\nok 1 77\ntry 2 delete 5 77\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    auto x = parsed(text.substr(0, length));
    CHECK(x.entries.size() <= 3);
    for (auto& entry : x.entries)
      CHECK((entry.tweet == 0 || entry.tweet == 77));
  }
}

TEST_CASE("journal: a run after one that was killed in a line is read",
          "[nodes][journal]") {
  auto name = path();
  std::ofstream{name} << "run\ntry 1 post 5\nok 1 7";
  journal_writer{name}.tried({kind::post, 6, 0});
  auto x = parsed(content(name));
  std::filesystem::remove(name);
  REQUIRE(x.entries.size() == 2);
  CHECK(x.entries[0].how == ending::unknown);
  CHECK(x.entries[1].what.user == 6);
}

TEST_CASE("journal: a line that does not belong is named", "[nodes][journal]") {
  CHECK(fault("run\nok 1 5\n")
        == "line 2: 'ok 1 5': is not a line of a journal, or not in its place");
  CHECK_FALSE(fault("hello\n").empty());
  CHECK_FALSE(fault("try 1 post\n").empty());
  CHECK_FALSE(fault("try 1 post 5 6\n").empty());
  CHECK_FALSE(fault("try 1 follow 5\n").empty());
  CHECK_FALSE(fault("try 1 post 5\nok 1\n").empty()); // which tweet?
  CHECK_FALSE(fault("try 1 post 5\ntry 1 post 5\n").empty());
  CHECK_FALSE(fault("edge 1 x\n").empty());
}

TEST_CASE("journal: without a name nothing is written", "[nodes][journal]") {
  journal_writer uut{""};
  CHECK(uut.tried({kind::post, 1, 0}) == 1);
  CHECK(uut.flush());
}

TEST_CASE("journal: a file that cannot be written is noticed",
          "[nodes][journal]") {
  journal_writer uut{"/nowhere/at.all"};
  CHECK_FALSE(uut.flush());
}
