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

// Five messages for "queue" on one page, of which bits can be turned. "b" has
// forty of them, and so on.
class page {
public:
  page() {
    auto x = *spill_file::open({.file = file_});
    for (std::uint64_t place = 1; place <= 5; ++place)
      REQUIRE(!x->write({{place, "queue", bytes(place)}}, {}).why);
    x->close();
    std::ifstream in{file_, std::ios::binary};
    before_ = {std::istreambuf_iterator<char>{in}, {}};
  }

  static std::string bytes(std::uint64_t place) {
    return std::string(40, static_cast<char>('a' + place));
  }

  // `back` bytes before the end of the address of the second.
  void turn(std::size_t back, int bit) {
    const auto address = before_.rfind("queue", before_.find(bytes(2)));
    const auto at = address + 5 - back;
    std::ofstream out{file_, std::ios::binary};
    out << before_.substr(0, at)
        << static_cast<char>(before_[at] ^ static_cast<char>(1 << bit))
        << before_.substr(at + 1);
  }

  [[nodiscard]] auto open() { return spill_file::open({.file = file_}); }

private:
  temp_directory directory_;
  std::filesystem::path file_ = directory_.path() / "a";
  std::string before_;
};

// A thousand messages for "a" and "b" in turn, whose index has several pages,
// which can be damaged.
class index_pages {
public:
  static constexpr std::size_t page_bytes = 4'096;

  explicit index_pages(std::size_t bytes = 5) {
    auto x = *spill_file::open({.file = file_});
    std::vector<spill_file::message> messages;
    for (std::uint64_t place = 1; place <= 1'000; ++place)
      messages.push_back(
          {place, place % 2 == 1 ? "a" : "b", std::string(bytes, 'x')});
    REQUIRE(!x->write(messages, {}).why);
    x->close();
    std::ifstream in{file_, std::ios::binary};
    before_ = {std::istreambuf_iterator<char>{in}, {}};
    for (auto at = page_bytes; at < before_.size(); at += page_bytes)
      if (before_[at] == '\x0a' || before_[at] == '\x02')
        pages_.push_back(at);
    REQUIRE(pages_.size() > 3);
  }

  [[nodiscard]] std::size_t size() const { return pages_.size(); }

  void restore() const { std::ofstream{file_, std::ios::binary} << before_; }

  // One page of them, from its byte number `from` on.
  void damage(std::size_t page, std::size_t from, char with) const {
    auto bytes = before_;
    std::fill_n(bytes.begin()
                    + static_cast<std::ptrdiff_t>(pages_.at(page) + from),
                page_bytes - from, with);
    std::ofstream{file_, std::ios::binary} << bytes;
  }

  // Lets the entry number `which` of the root name the page after its own.
  // False: there is none.
  [[nodiscard]] bool double_page(std::size_t which) const {
    auto bytes = before_;
    const auto root = static_cast<std::size_t>(
        std::find_if(pages_.begin(), pages_.end(),
                     [&](auto at) { return before_[at] == '\x02'; })
        - pages_.begin());
    const auto at = pages_.at(root);
    const auto cell = [&](std::size_t n) {
      const auto where = at + 12 + 2 * n;
      return at + std::size_t{static_cast<unsigned char>(bytes[where])} * 256
             + static_cast<unsigned char>(bytes[where + 1]);
    };
    const auto cells = static_cast<std::size_t>(bytes[at + 4]);
    if (which >= cells)
      return false;
    const auto next = which + 1 < cells ? cell(which + 1) : at + 8;
    bytes.replace(cell(which), 4, bytes, next, 4);
    std::ofstream{file_, std::ios::binary} << bytes;
    return true;
  }

  [[nodiscard]] auto open() const { return spill_file::open({.file = file_}); }

private:
  temp_directory directory_;
  std::filesystem::path file_ = directory_.path() / "a";
  std::string before_;
  std::vector<std::size_t> pages_;
};

// Reads on where it failed or found no more, as the spill does.
spill_file::error read_all(spill_file& x, const std::string& address,
                           std::vector<spill_file::message>& seen) {
  x.may_mend();
  for (;;) {
    const auto before = seen.size();
    auto [why, damaged] = x.read(address, seen.empty() ? 0 : seen.back().place,
                                 10'000, 10'000'000, seen);
    if (seen.size() == before && (why || !x.mend_index()))
      return why;
  }
}

// The places of what waits for `address`, in the order it is read.
std::vector<std::uint64_t> places(spill_file& x, const std::string& address) {
  std::vector<spill_file::message> seen;
  CHECK(!read_all(x, address, seen));
  std::vector<std::uint64_t> result;
  for (const auto& each : seen)
    result.push_back(each.place);
  return result;
}

std::vector<std::uint64_t> every_second(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> result;
  for (; from <= to; from += 2)
    result.push_back(from);
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
    const auto bytes = [](const std::filesystem::path& x) {
      std::ifstream in{x, std::ios::binary};
      return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open((file.string() + "b").c_str(), &other) == SQLITE_OK);
    sqlite3_exec(other, "PRAGMA journal_mode=WAL; CREATE TABLE x(y)", nullptr,
                 nullptr, nullptr);
    std::filesystem::copy_file(file.string() + "b", file);
    std::filesystem::copy_file(file.string() + "b-wal", log);
    sqlite3_close(other);
    const auto before = std::pair{bytes(file), bytes(log)};
    REQUIRE(!before.second.empty());
    CHECK(says(file, "is not a spill"));
    CHECK(std::pair{bytes(file), bytes(log)} == before);
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

TEST_CASE("spill file: what is damaged keeps no other from being taken out",
          "[link][spill]") {
  page p;
  p.turn(1, 0);
  auto x = *p.open();
  const auto result = x->write({{6, "queue", "f"}}, {1, 2, 3});
  CHECK(!result.why);
  CHECK(result.left == std::vector<std::uint64_t>{2});
  std::vector<spill_file::message> seen;
  static_cast<void>(x->read("queue", 2, 100, 100'000, seen));
  CHECK(text(seen) == "4" + p.bytes(4) + " 5" + p.bytes(5) + " 6f ");
}

TEST_CASE("spill file: one damaged row does not keep it from opening",
          "[link][spill]") {
  page p;
  int damaged = 0;
  for (std::size_t back = 1; back <= 5 + 9; ++back) // and its record header
    for (int bit = 0; bit < 8; ++bit) {
      INFO("byte " << back << " bit " << bit);
      p.turn(back, bit);
      auto x = p.open();
      REQUIRE(x);
      std::uint64_t found = 0;
      for (const auto& each : (*x)->found())
        found += each.messages;
      CHECK(found >= 5);
      CHECK(found <= 6); // under the address that it has now, too
      CHECK((*x)->last_place() >= 5);
      std::vector<spill_file::message> seen;
      if ((*x)->read("queue", 0, 100, 100'000, seen).why)
        ++damaged;
      CHECK(!seen.empty());
      CHECK(seen.front().bytes == p.bytes(1));
    }
  CHECK(damaged > 0);
}

TEST_CASE("spill file: a damaged page of its index costs nothing",
          "[link][spill]") {
  const index_pages pages;
  for (std::size_t page = 0; page < pages.size(); ++page)
    for (const auto& [from, with] :
         {std::pair{0U, '\0'}, {0U, '\xff'}, {8U, '\xff'}, {12U, '\x7f'}}) {
      INFO("page " << page << " from " << from << " with " << int{with});
      pages.damage(page, from, with);
      for (std::uint64_t last = 1'001; last <= 1'003; last += 2) {
        auto opened = pages.open();
        REQUIRE(opened);
        auto& x = **opened;
        REQUIRE(x.found().size() == 2);
        CHECK(x.found()[0].messages + x.found()[1].messages == 1'000);
        CHECK(x.last_place() == last - 1 - (last > 1'001 ? 1 : 0));
        CHECK(places(x, "a") == every_second(last - 1'000, last - 2));
        CHECK(places(x, "b") == every_second(2, 1'000));
        CHECK(!x.write({{last, "a", "bytes"}}, {last - 1'000}).why);
        CHECK(places(x, "a") == every_second(last - 998, last));
        x.close();
      }
    }
}

TEST_CASE("spill file: a page of it that its root names twice, in place of "
          "another, costs nothing but time",
          "[link][spill]") {
  const index_pages pages;
  std::size_t which = 0;
  for (; pages.double_page(which); ++which) {
    INFO("entry " << which);
    for (const auto at_once : {false, true}) {
      auto opened = pages.open();
      REQUIRE(opened);
      auto& x = **opened;
      CHECK(x.last_place() == 1'000);
      REQUIRE(x.found().size() == 2);
      CHECK(x.found()[0].messages + x.found()[1].messages == 1'000);
      const auto a = places(x, "a");
      const auto b = places(x, "b");
      if (at_once) { // else something was behind what was read when it was
                     // mended
        CHECK(a == every_second(1, 999));
        CHECK(b == every_second(2, 1'000));
      }
      x.close();
    }
  }
  CHECK(which > 1);
}

TEST_CASE(
    "spill file: a page of it that is damaged while it is open costs nothing",
    "[link][spill]") {
  const index_pages pages{3'000}; // more than SQLite keeps in memory
  const auto write = GENERATE(false, true);
  int failed = 0;
  for (std::size_t page = 0; page < pages.size(); ++page) {
    INFO("page " << page);
    pages.restore();
    auto opened = pages.open();
    REQUIRE(opened);
    auto& x = **opened;
    CHECK(places(x, "b").size() == 500);
    pages.damage(page, 0, '\0');
    x.may_mend(); // a minute later
    std::vector<spill_file::message> seen;
    if (write) {
      CHECK(!x.write({{1'001, "a", "bytes"}}, {1}).why);
    } else if (const auto result = x.read("a", 0, 1'000, 10'000'000, seen);
               result.why) {
      ++failed;
      CHECK((!seen.empty() || !result.damaged));
    }
    CHECK(places(x, "a") == every_second(write ? 3 : 1, write ? 1'001 : 999));
    x.close();
  }
  CHECK((write || failed > 0));
}

TEST_CASE("spill file: who dies while it makes its index anew leaves it to the "
          "next",
          "[link][spill]") {
  const auto power_goes = GENERATE(false, true);
  std::vector<spill_file::message> messages;
  for (std::uint64_t place = 1; place <= 1'000; ++place)
    messages.push_back({place, place % 2 == 1 ? "a" : "b", "bytes"});
  auto over = false;
  for (int end = 1; !over; ++end) {
    INFO("event " << end << " power loss " << power_goes);
    sim::disk disk{static_cast<std::uint64_t>(end)};
    const auto open = [](const sim::disk_process& on) {
      return spill_file::open({.file = "a.spill", .vfs = on.vfs()});
    };
    {
      auto process = disk.start(1);
      auto x = *open(process);
      REQUIRE(!x->write(messages, {}).why);
      x->close();
      testing::change_leaf(process, "a.spill", testing::index_leaf, 0,
                           [](auto& page) { page.assign(page.size(), '\0'); });
    }
    {
      auto process = disk.start(2);
      disk.watch([&, left = end](int, sim::disk_event) mutable {
        if (--left == 0)
          power_goes ? static_cast<void>(disk.power_loss(7)) : process.kill();
      });
      std::vector<spill_file::message> seen;
      if (auto x = open(process))
        static_cast<void>(read_all(**x, "a", seen));
      over = !process.killed();
      disk.watch({});
    }
    auto process = disk.start(3);
    auto x = open(process);
    REQUIRE(x);
    CHECK(places(**x, "a") == every_second(1, 999));
    CHECK(places(**x, "b") == every_second(2, 1'000));
    CHECK(!(*x)->write({{1'001, "a", "bytes"}}, {1}).why);
    CHECK(places(**x, "a") == every_second(3, 1'001));
  }
}
