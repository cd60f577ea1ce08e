// Goal: a spill whose file is damaged while it is open sends nothing twice, out
// of order or to another queue, gives it up, and tells who waits. Method: bits
// that turn in its pages, on the simulated disk, in virtual time.
#include "tests/support/catch.hpp"
#include "tests/support/spill_leaf.hpp"
#include "tests/support/spill_process.hpp"

#include <algorithm>
#include <string>

using namespace rookery;
using namespace std::chrono_literals;
using process = testing::spill_process;

namespace {

// Each on a page of its own, and more than SQLite keeps in memory.
constexpr std::uint64_t count = 600;
constexpr std::size_t length = 3'500;

void fill(sim::disk& disk) {
  process x{disk, 0};
  for (std::uint64_t i = 1; i <= count; ++i)
    REQUIRE((i % 2 == 1 ? x.push(i, length) : x.push_aside(i, length)));
  x.run(1s);
  CHECK(x.keep());
}

// What somebody else's disk does: the process that has it open knows nothing.
void turn_bit(sim::disk& disk, char kind, int leaf, std::size_t at, int bit) {
  testing::change_leaf(disk.start(2), "a.spill", kind, leaf,
                       [=](std::string& page) {
                         page[at] = static_cast<char>(page[at] ^ (1 << bit));
                       });
}

bool is_given_up(const process& x) {
  return !x.troubles.empty()
         && x.troubles.back().find("given up") != std::string::npos;
}

} // namespace

TEST_CASE("spill damage: a bit that turns sends nothing twice, out of order or "
          "to another queue; what is not sent is told",
          "[link][spill]") {
  const auto kind = GENERATE(testing::index_leaf, testing::table_leaf);
  const auto leaf = GENERATE(0, 1);
  std::size_t given_up = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    // Each header, then those at the end, where most is.
    const auto at = i < 20 ? i : 4'096 - (i - 20) * 5 - 1;
    const auto bit = static_cast<int>(i % 8);
    INFO("kind " << int{kind} << " leaf " << leaf << " byte " << at << " bit "
                 << bit);
    sim::disk disk{1};
    fill(disk);
    process x{disk, 0};
    constexpr std::uint64_t last = count + 10;
    for (std::uint64_t n = count + 1; n <= last; ++n)
      REQUIRE((n % 2 == 1 ? x.push(n, length) : x.push_aside(n, length)));
    turn_bit(disk, kind, leaf, at, bit);
    std::vector<std::uint64_t> odd;
    std::vector<std::uint64_t> even;
    for (auto turn = 0; turn < 60; ++turn) {
      x.run(500ms);
      for (auto each : x.send())
        odd.push_back(each);
      for (auto each : x.send_aside())
        even.push_back(each);
    }
    CHECK(std::is_sorted(odd.begin(), odd.end(), std::less_equal{}));
    CHECK(std::is_sorted(even.begin(), even.end(), std::less_equal{}));
    CHECK(std::all_of(odd.begin(), odd.end(),
                      [](auto each) { return each % 2 == 1; }));
    CHECK(std::all_of(even.begin(), even.end(),
                      [](auto each) { return each % 2 == 0; }));
    CHECK(x.size() == 0);
    for (auto each : x.lost)
      CHECK(std::count(odd.begin(), odd.end(), each)
                + std::count(even.begin(), even.end(), each)
            == 0);
    std::size_t mine = 0; // of this process, sent or told
    for (const auto* sent : {&odd, &even, &x.lost})
      mine += static_cast<std::size_t>(std::count_if(
          sent->begin(), sent->end(), [](auto each) { return each > count; }));
    CHECK(mine == last - count);
    if (is_given_up(x)) {
      ++given_up;
      CHECK(!x.push(last + 1)); // nothing may wait in memory
    } else {
      CHECK(odd.size() + even.size() + x.lost.size() == last);
      CHECK(x.push(last + 1));
    }
  }
  CHECK(given_up > 5);
}

TEST_CASE("spill damage: what the file no longer shows is missed",
          "[link][spill]") {
  sim::disk disk{1};
  fill(disk);
  process x{disk, 4};
  testing::change_leaf(disk.start(2), "a.spill", testing::index_leaf, 1,
                       [](std::string& page) { page[4] = 1; }); // cells
  const auto sent = x.send_all();
  CHECK(sent.size() < count / 2);
  x.run(20s);
  CHECK(is_given_up(x));
  CHECK(x.troubles.back().find("not found") != std::string::npos);
  static_cast<void>(x.send_aside()); // what was in memory
  CHECK(x.size() == 0);
  for (std::uint64_t n = count + 1; n <= count + 4; ++n)
    CHECK(x.push(n)); // in memory
  CHECK(x.send().size() == 4);
}

TEST_CASE("spill damage: moments far apart in which the disk fails are none",
          "[link][spill]") {
  sim::disk disk{1};
  fill(disk);
  process x{disk, 0};
  x.run(1s);
  for (std::uint64_t n = count + 1; n <= count + 3; ++n) {
    x.faults().no_read = true;
    REQUIRE(x.push(n, length));
    x.run(100ms);
    x.faults().no_read = false;
    x.run(15s);
  }
  CHECK(x.lost.size() > 1);
  CHECK(!is_given_up(x));
}

TEST_CASE("spill damage: of what a process put there itself, what it no longer "
          "shows is told, and nothing else",
          "[link][spill]") {
  constexpr std::uint64_t many = 2'400;
  sim::disk disk{1};
  process x{disk, 4};
  for (std::uint64_t n = 1; n <= many; ++n) {
    REQUIRE(x.push(n, length));
    if (n % 50 == 0)
      x.run(100ms);
  }
  x.run(1s);
  testing::change_leaf(disk.start(2), "a.spill", testing::index_leaf, 0,
                       [](std::string& page) { page[4] ^= 16; }); // its cells
  auto sent = x.send_all();
  x.run(12s);
  CHECK(is_given_up(x));
  CHECK(sent.size() > many / 2);
  CHECK(sent.size() + x.lost.size() == many);
  CHECK(x.lost.size() > 0);
  for (auto each : x.lost)
    CHECK(std::count(sent.begin(), sent.end(), each) == 0);
}
