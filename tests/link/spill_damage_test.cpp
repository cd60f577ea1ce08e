// Goal: a spill whose file is damaged sends what can be read, once, in order
// and where it belongs, and tells what it cannot; nothing goes round in
// circles. Method: bits that turn in its pages, on the simulated disk, in
// virtual time.
#include "tests/support/catch.hpp"
#include "tests/support/spill_leaf.hpp"
#include "tests/support/spill_process.hpp"

#include <set>
#include <string_view>

using namespace rookery;
using namespace std::chrono_literals;
using process = testing::spill_process;

namespace {

using numbers = std::vector<std::uint64_t>;

void turn_bit(sim::disk& disk, char kind, int leaf, std::size_t at, int bit) {
  testing::change_leaf(disk.start(2), "a.spill", kind, leaf,
                       [=](std::string& page) {
                         page[at] = static_cast<char>(page[at] ^ (1 << bit));
                       });
}

// A bit of the address in the row of place 1.
void turn_first_row(sim::disk& disk) {
  testing::change_leaf(disk.start(2), "a.spill", testing::table_leaf, 0,
                       [](std::string& page) {
                         constexpr std::string_view address = "/queues/q";
                         const auto at = page.rfind(address);
                         REQUIRE(at != std::string::npos);
                         page[at + address.size() - 1] ^= 1;
                       });
}

// With short messages, of which nothing is in the WAL any more.
void fill(sim::disk& disk, std::uint64_t count) {
  process x{disk, 0};
  for (std::uint64_t i = 1; i <= count; ++i)
    REQUIRE(x.push(i, 10));
  x.run(1s);
  CHECK(x.keep());
}

} // namespace

TEST_CASE(
    "spill damage: a bit of the index that has turned makes nothing go round "
    "in circles, or be lost in silence",
    "[link][spill]") {
  constexpr std::uint64_t count = 300;
  const auto at = GENERATE(range(0, 4'096, 36));
  const auto bit = GENERATE(0, 1, 7);
  INFO("byte " << at << " bit " << bit);
  sim::disk disk{1};
  fill(disk, count);
  turn_bit(disk, testing::index_leaf, 0, static_cast<std::size_t>(at), bit);
  std::set<std::uint64_t> seen;
  for (auto life = 0; life < 3; ++life) {
    process x{disk, 2 * count};
    const auto found = x.size();
    numbers sent;
    for (auto i = 0; i < 200; ++i) {
      x.run(500ms);
      for (auto each : x.send())
        sent.push_back(each);
    }
    CHECK(std::set(sent.begin(), sent.end()).size() == sent.size());
    CHECK(sent.size() + x.lost.size() <= count);
    CHECK(x.size() <= count);
    seen.insert(sent.begin(), sent.end());
    if (sent.size() + x.lost.size() < found)
      CHECK(!x.troubles.empty());
    CHECK(x.keep());
  }
  CHECK(seen.size() >= count - 1);
}

TEST_CASE("spill damage: a bit of the index that has turned sends nothing to "
          "another queue",
          "[link][spill]") {
  constexpr std::uint64_t count = 40;
  const auto from = GENERATE(range(3'456, 4'096, 64)); // where its entries are
  for (auto at = from; at < from + 64; ++at)
    for (auto bit : {0, 1, 4}) {
      INFO("byte " << at << " bit " << bit);
      sim::disk disk{1};
      {
        process x{disk, 0};
        for (std::uint64_t i = 1; i <= count; ++i)
          REQUIRE((i % 2 == 1 ? x.push(i, 10) : x.push_aside(i, 10)));
        x.run(1s);
        CHECK(x.keep());
      }
      turn_bit(disk, testing::index_leaf, 0, static_cast<std::size_t>(at), bit);
      std::set<std::uint64_t> seen;
      for (auto life = 0; life < 2; ++life) {
        process x{disk, 2 * count};
        std::size_t wrong = 0;
        for (auto i = 0; i < 10; ++i) {
          x.run(500ms);
          for (auto each : x.send()) {
            wrong += each % 2 == 0 ? 1 : 0;
            seen.insert(each);
          }
          for (auto each : x.send_aside()) {
            wrong += each % 2 == 1 ? 1 : 0;
            seen.insert(each);
          }
        }
        CHECK(wrong == 0);
        CHECK(x.keep());
      }
      CHECK(seen.size() >= count - 1);
    }
}

TEST_CASE(
    "spill damage: a row whose address has turned goes to nobody, and all "
    "others go in order",
    "[link][spill]") {
  const std::uint64_t count = GENERATE(1, 2, 257, 258, 300);
  sim::disk disk{1};
  fill(disk, count);
  turn_first_row(disk);
  for (auto life = 0; life < 2; ++life) {
    process x{disk, 2};
    // The first is lost again, and what was sent has left its places.
    const auto last = life == 0 ? count : 20;
    for (std::uint64_t place = 2; life == 1 && place <= last; ++place)
      REQUIRE(x.push(place, 10));
    numbers expected;
    for (std::uint64_t place = 2; place <= last; ++place)
      expected.push_back(place);
    CHECK(x.send_all() == expected);
    CHECK(x.lost.size() == 1);
    CHECK(x.size() == 0);
    CHECK(x.keep());
  }
}

TEST_CASE("spill damage: a place that is taken by a row nobody knows of is not "
          "taken anew",
          "[link][spill]") {
  constexpr std::uint64_t count = 300;
  constexpr std::uint64_t more = 10;
  sim::disk disk{1};
  fill(disk, count);
  testing::change_leaf(disk.start(2), "a.spill", testing::table_leaf, 3,
                       [](std::string& page) {
                         const auto at = page.rfind("\x82\x2c"); // 300
                         REQUIRE(at != std::string::npos);
                         page[at + 1] = 0x2f; // 303
                       });
  turn_bit(disk, testing::table_leaf, 0, 0, 0); // so rows cannot be counted
  process x{disk, 0};
  for (std::uint64_t i = 0; i < more; ++i)
    REQUIRE(x.push_aside(i, 10));
  x.run(1s);
  CHECK(x.lost.empty());
  CHECK(x.send_aside().size() == more);
}

TEST_CASE("spill damage: what was lost once leaves the next time to look twice",
          "[link][spill]") {
  sim::disk disk{1};
  fill(disk, 1);
  turn_first_row(disk);
  process x{disk, 2};
  x.run(5s);
  CHECK(x.lost.size() == 1);
  constexpr std::uint64_t more = 40; // than SQLite keeps in memory
  for (std::uint64_t i = 0; i < more; ++i)
    REQUIRE(x.push(i)); // two in memory
  x.run(1s);
  CHECK(x.send().size() == 2);
  x.faults().no_read = true;
  x.run(500ms);
  x.faults().no_read = false;
  CHECK(x.send_all().size() == more - 2);
  CHECK(x.lost.size() == 1);
}

TEST_CASE("spill damage: an index that cannot be made anew for long keeps no "
          "message waiting for ever",
          "[link][spill]") {
  constexpr std::uint64_t count = 300;
  sim::disk disk{1};
  fill(disk, count);
  turn_bit(disk, testing::index_leaf, 0, 4'081, 3); // the place of the second
  process x{disk, 2 * count};
  x.faults().left = sim::disk_faults::space::no_growth;
  x.run(10s);
  CHECK(x.send().size() == 1);
  CHECK(x.size() >= count - 1);
  CHECK(!x.troubles.empty());
  x.run(120s);
  CHECK(x.size() == 0); // the others are told, and the next process sends them
}

TEST_CASE("spill damage: a damaged index on a disk that is full for a moment "
          "loses no more",
          "[link][spill]") {
  constexpr std::uint64_t count = 300;
  // Not in the first entry: it may be the row that is wrong.
  const auto at = GENERATE(range(3'996, 4'082));
  const auto bit = GENERATE(0, 2, 5);
  INFO("byte " << at << " bit " << bit);
  sim::disk disk{1};
  fill(disk, count);
  turn_bit(disk, testing::index_leaf, 0, static_cast<std::size_t>(at), bit);
  std::set<std::uint64_t> seen;
  for (auto life = 0; life < 2; ++life) {
    process x{disk, 2 * count};
    if (life == 0)
      x.faults().left = sim::disk_faults::space::no_growth;
    for (auto i = 0; i < 40; ++i) {
      x.run(500ms);
      for (auto each : x.send())
        seen.insert(each);
      if (i == 8) // longer than damage is doubted
        x.faults().left = sim::disk_faults::space::enough;
    }
    CHECK(x.lost.empty());
    CHECK(x.keep());
  }
  CHECK(seen.size() >= count - 1);
}

TEST_CASE(
    "spill damage: what a damaged leaf no longer shows is told to be lost, and "
    "its places are not taken anew",
    "[link][spill]") {
  constexpr std::uint64_t count = 300;
  const auto leaf = GENERATE(0, 1, 2, 3);
  sim::disk disk{1};
  fill(disk, count);
  // The number of its cells.
  turn_bit(disk, testing::table_leaf, leaf, 4, leaf == 3 ? 3 : 4);
  process x{disk, 0};
  REQUIRE(x.push_aside(count + 1));
  numbers sent;
  for (auto i = 0; i < 20; ++i) { // a tenth of a second each
    x.run(500ms);
    for (auto each : x.send())
      sent.push_back(each);
  }
  CHECK(sent.size() < count);
  CHECK(sent.size() + x.lost.size() == count);
  CHECK(sent.back() <= count);
  CHECK(x.size() == 1); // aside
}
