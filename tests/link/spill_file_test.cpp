// Goal: a spill opens only its own files, says why when it does not, and has
// what was written, in order. Method: real files, and the simulated disk.
#include "bridge/spill/spill_file.hpp"

#include "tests/sim/disk.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/spill_leaf.hpp"
#include "tests/support/temp_directory.hpp"

#include <sqlite3.h>

#include <fstream>

using namespace rookery;
using bridge::spill_file;

namespace {

// Whether it does not open, for a reason with these words.
bool says(const std::filesystem::path& file, const std::string& words) {
  auto result = spill_file::open({.file = file});
  REQUIRE(!result);
  UNSCOPED_INFO(result.error());
  return result.error().find(words) != std::string::npos;
}

std::string text(const std::vector<spill_file::message>& messages) {
  std::string result;
  for (const auto& x : messages)
    result += std::to_string(x.place) + x.bytes + " ";
  return result;
}

// Messages for "a" and "b", in turn.
std::vector<spill_file::message> thousand() {
  std::vector<spill_file::message> result;
  for (std::uint64_t place = 1; place <= 1'000; ++place)
    result.push_back({place, place % 2 == 1 ? "a" : "b", std::string(9, 'x')});
  return result;
}

} // namespace

TEST_CASE("spill file: keeps what was written, in order, per address",
          "[link][spill]") {
  temp_directory directory;
  const auto file = directory.path() / "deep" / "down" / "a.spill";
  {
    auto x = *spill_file::open({.file = file});
    CHECK(x->last_place() == 0);
    CHECK(!x->write(
                {{2, "q", "b", 7, 8, true, true}, {1, "q", "a"}, {3, "r", "c"}},
                {})
               .why);
    CHECK(!x->write({{4, "q", "d"}}, {3}).why);
  }
  auto x = *spill_file::open({.file = file});
  CHECK(x->last_place() == 4);
  REQUIRE(x->found().size() == 1);
  CHECK(x->found()[0].address == "q");
  CHECK(x->found()[0].messages == 3);
  CHECK(x->found()[0].bytes == 3);
  std::vector<spill_file::message> seen;
  CHECK(!x->read("q", 0, 100, 100, seen).why);
  CHECK(text(seen) == "1a 2b 4d ");
  CHECK(seen[1].expires == 7);
  CHECK(seen[1].waiting == 8);
  CHECK(seen[1].ends_stored);
  CHECK(seen[1].packs);
  seen.clear();
  CHECK(!x->read("q", 1, 1, 100, seen).why);
  CHECK(text(seen) == "2b ");
  seen.clear();
  CHECK(!x->read("q", 0, 100, 2, seen).why); // as many as make two bytes
  CHECK(text(seen) == "1a 2b ");
}

TEST_CASE("spill file: bytes are bytes", "[link][spill]") {
  temp_directory directory;
  auto x = *spill_file::open({.file = directory.path() / "a.spill"});
  const std::string bytes{"a\0\xff'b", 5};
  CHECK(!x->write({{1, "q%2F", bytes}}, {}).why);
  std::vector<spill_file::message> seen;
  CHECK(!x->read("q%2F", 0, 1, 1, seen).why);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].bytes == bytes);
}

TEST_CASE("spill file: one at a time has it", "[link][spill]") {
  temp_directory directory;
  const auto file = directory.path() / "a.spill";
  auto first = spill_file::open({.file = file});
  REQUIRE(first);
  CHECK(says(file, file.string() + ": is in use"));
}

TEST_CASE("spill file: what is none is left alone", "[link][spill]") {
  temp_directory directory;
  const auto file = directory.path() / "a";
  SECTION("a text") {
    std::ofstream{file} << std::string(4'096, 'x');
    CHECK(says(file, "not a database"));
  }
  SECTION("another program's database") {
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &other) == SQLITE_OK);
    sqlite3_exec(other, "CREATE TABLE x(y)", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    CHECK(says(file, "is not a spill"));
  }
  SECTION("another program's, which was killed") {
    const auto log = directory.path() / "a-wal";
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open((file.string() + "b").c_str(), &other) == SQLITE_OK);
    sqlite3_exec(other, "PRAGMA journal_mode=WAL; CREATE TABLE x(y)", nullptr,
                 nullptr, nullptr);
    std::filesystem::copy_file(file.string() + "b", file);
    std::filesystem::copy_file(file.string() + "b-wal", log);
    sqlite3_close(other);
    const auto before = std::pair{bytes_of(file), bytes_of(log)};
    REQUIRE(!before.second.empty());
    CHECK(says(file, "is not a spill"));
    CHECK(std::pair{bytes_of(file), bytes_of(log)} == before);
  }
  SECTION("a later version's") {
    { REQUIRE(spill_file::open({.file = file})); }
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &other) == SQLITE_OK);
    sqlite3_exec(other, "PRAGMA user_version=3", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    CHECK(says(file, "another version"));
  }
  SECTION("a directory") {
    std::filesystem::create_directory(file);
    CHECK(says(file, "unable to open"));
  }
  SECTION("below a file") {
    std::ofstream{file} << "x";
    CHECK(says(file / "b", "cannot create its directory"));
  }
}

TEST_CASE("spill file: what is written after a failed sync and a kill survives "
          "a power loss",
          "[link][spill]") {
  const auto seed = GENERATE(range(1U, 20U));
  INFO("seed " << seed);
  sim::disk disk{seed};
  const auto open = [](const sim::disk_process& on) {
    return *spill_file::open({.file = "a.spill", .vfs = on.vfs()});
  };
  {
    auto process = disk.start(1);
    auto x = open(process);
    REQUIRE(!x->write({{1, "q", "a"}}, {}).why);
    process.faults().failing_syncs = 1;
    CHECK(x->write({{2, "q", std::string(9000, 'b')}}, {}).why);
    process.kill();
  }
  {
    // It finds the second in the page cache, which the medium never has.
    auto process = disk.start(2);
    REQUIRE(!open(process)->write({{3, "q", "c"}}, {}).why);
    disk.power_loss(seed);
  }
  auto process = disk.start(3);
  std::vector<spill_file::message> seen;
  REQUIRE(!open(process)->read("q", 0, 100, 100'000, seen).why);
  std::erase_if(seen, [](const auto& x) { return x.place == 2; });
  CHECK(text(seen) == "1a 3c ");
}

TEST_CASE("spill file: one in which a bit has turned does not open, and is "
          "left as it is, unless nothing hangs on it",
          "[link][spill]") {
  constexpr std::size_t step = 331; // bits
  temp_directory directory;
  const auto file = directory.path() / "a";
  REQUIRE(!(*spill_file::open({.file = file}))->write(thousand(), {}).why);
  const auto before = bytes_of(file);
  std::size_t refused = 0;
  std::size_t opened = 0;
  for (std::size_t at = 0; at < 8 * before.size();
       at += at < 8 * 112 ? 1 : step) {
    INFO("byte " << at / 8 << " bit " << at % 8);
    auto damaged = before;
    damaged[at / 8] = static_cast<char>(damaged[at / 8] ^ (1 << at % 8));
    std::ofstream{file, std::ios::binary} << damaged;
    auto x = spill_file::open({.file = file});
    if (!x) {
      ++refused;
      CHECK((bytes_of(file) == damaged)); // they are long
      continue;
    }
    ++opened;
    for (std::uint64_t first : {1, 2}) {
      std::vector<spill_file::message> seen;
      CHECK(!(*x)->read(first == 1 ? "a" : "b", 0, 1'000, 1'000'000, seen).why);
      REQUIRE(seen.size() == 500);
      for (std::uint64_t i = 0; i < 500; ++i)
        CHECK(seen[i].place == first + 2 * i);
    }
    CHECK(!(*x)->write({{1'001, "a", "bytes"}}, {1, 2, 500, 1'000}).why);
  }
  CHECK(refused > opened / 4);
  CHECK(opened > 0);
}

TEST_CASE("spill file: a read that meets damage brings nothing",
          "[link][spill]") {
  temp_directory directory;
  const auto file = directory.path() / "a";
  std::vector<spill_file::message> messages;
  for (std::uint64_t place = 1; place <= 1'000; ++place)
    messages.push_back({place, "a", std::string(3'500, 'x')});
  REQUIRE(!(*spill_file::open({.file = file}))->write(messages, {}).why);
  auto x = *spill_file::open({.file = file});
  std::fstream half{file, std::ios::in | std::ios::out | std::ios::binary};
  half.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file) / 2
                                         / 4'096 * 4'096));
  half << std::string(4'096, '\0') << std::flush; // not in SQLite's memory
  std::vector<spill_file::message> seen;
  CHECK(!x->read("a", 0, 100, 1'000'000, seen).why);
  CHECK(seen.size() == 100);
  const auto result = x->read("a", 100, 1'000, 10'000'000, seen);
  CHECK(result.why);
  CHECK(result.damaged);
  CHECK(seen.size() == 100);
}

TEST_CASE("spill file: a damaged one that a killed process left keeps its log",
          "[link][spill]") {
  temp_directory directory;
  const auto file = directory.path() / "a";
  const auto left = directory.path() / "b";
  const auto log = left.string() + "-wal";
  REQUIRE(!(*spill_file::open({.file = file}))->write(thousand(), {}).why);
  {
    auto x = *spill_file::open({.file = file});
    REQUIRE(!x->write({{1'001, "a", "bytes"}}, {}).why);
    std::filesystem::copy_file(file, left);
    std::filesystem::copy_file(file.string() + "-wal", log);
  }
  auto damaged = bytes_of(left);
  std::size_t page = 4'096;
  while (damaged.at(page) != testing::table_leaf)
    page += 4'096;
  damaged[page] = 0;
  std::ofstream{left, std::ios::binary} << damaged;
  const auto logged = bytes_of(log);
  CHECK(says(left, "is damaged"));
  CHECK((bytes_of(left) == damaged)); // they are long
  CHECK((bytes_of(log) == logged));
}

TEST_CASE("spill file: says where it is damaged", "[link][spill]") {
  temp_directory directory;
  const auto file = directory.path() / "a";
  REQUIRE(!(*spill_file::open({.file = file}))
               ->write({{1, "queue", "bytes"}}, {})
               .why);
  auto bytes = bytes_of(file);
  bytes[bytes.find("queuebytes")] = 'p';
  std::ofstream{file, std::ios::binary} << bytes;
  CHECK(says(file, "is damaged: row 1 missing from index message_to"));
}
