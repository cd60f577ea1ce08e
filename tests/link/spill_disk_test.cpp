// Goal: a spill outlives a disk that fails for a moment, or is full for a
// while, and loses nothing by it that it has not told; who waits for room waits
// no longer than there is none. Method: the spill on the
// simulated disk, its thread by hand, in virtual time.
#include "tests/support/catch.hpp"
#include "tests/support/spill_process.hpp"

#include <limits>
#include <numeric>

using namespace rookery;
using namespace std::chrono_literals;
using process = testing::spill_process;

namespace {

using numbers = std::vector<std::uint64_t>;

// More of them than SQLite keeps in memory, at 100,000 bytes each.
constexpr std::uint64_t many = 40;

numbers up_to(std::uint64_t last, std::uint64_t from = 1) {
  numbers result(last - from + 1);
  std::iota(result.begin(), result.end(), from);
  return result;
}

// What a process leaves that was killed.
void leave(sim::disk& disk, std::uint64_t count) {
  process x{disk, 0};
  for (std::uint64_t i = 1; i <= count; ++i)
    REQUIRE(x.push(i));
  x.run(1s);
  CHECK(x.lost.empty());
}

} // namespace

TEST_CASE("spill disk: reads that fail for a moment lose nothing",
          "[link][spill]") {
  sim::disk disk{1};
  leave(disk, many);
  process x{disk, 4};
  x.run(200ms);
  auto seen = x.send();
  CHECK(!seen.empty());
  x.faults().no_read = true;
  x.run(1s);
  for (auto each : x.send())
    seen.push_back(each);
  x.run(500ms);
  CHECK(x.send().empty());
  CHECK(x.troubles.size() > 0);
  x.faults().no_read = false;
  for (auto each : x.send_all())
    seen.push_back(each);
  CHECK(seen == up_to(many));
  CHECK(x.lost.empty());
  CHECK(x.size() == 0);
}

TEST_CASE("spill disk: a file that cannot be read for long is given up, as it "
          "is, and the next process has it",
          "[link][spill]") {
  constexpr std::uint64_t more = 5;
  sim::disk disk{1};
  leave(disk, many);
  numbers seen;
  {
    process x{disk, 4};
    x.run(200ms);
    for (std::uint64_t i = many + 1; i <= many + more; ++i)
      REQUIRE(x.push(i));
    x.run(200ms);
    seen = x.send();
    x.faults().no_read = true;
    x.run(9s);
    for (auto each : x.send())
      seen.push_back(each);
    CHECK(x.lost.empty());
    x.run(2s);
    CHECK(x.lost == up_to(many + more, many + 1));
    CHECK(x.reasons[0].find("given up, as it is, with "
                            + std::to_string(many + more - seen.size())
                            + " messages")
          != std::string::npos);
    CHECK(x.troubles.back() == x.reasons[0]);
    CHECK(x.size() == 0);
    x.faults().no_read = false;
    CHECK(x.push(many + more + 1)); // in memory
    CHECK(x.send_all() == numbers{many + more + 1});
    CHECK(x.lost.size() == more);
    CHECK(x.keep());
  }
  CHECK(seen.size() < many);
  process next{disk, 4};
  const auto again = next.send_all();
  CHECK(again.back() == many + more);
  CHECK(again == up_to(many + more, again.front()));
  CHECK(again.front() <= seen.back() + 1);
  CHECK(next.size() == 0);
}

TEST_CASE("spill disk: what cannot be taken out for a moment is not sent by "
          "the next process",
          "[link][spill]") {
  sim::disk disk{1};
  leave(disk, many);
  {
    process x{disk, 2 * many};
    x.run(1s);
    x.faults().no_read = true;
    CHECK(x.send() == up_to(many));
    x.run(1s);
    x.faults().no_read = false;
    CHECK(x.size() == 0);
    SECTION("and it goes on") { x.run(5s); }
    SECTION("and it stops") { CHECK(x.keep()); }
  }
  process next{disk, 4};
  CHECK(next.size() == 0);
}

TEST_CASE("spill disk: a full one refuses, says why, and goes on when there is "
          "room",
          "[link][spill]") {
  sim::disk disk{1};
  leave(disk, 10);
  {
    process x{disk, 0, sim::disk_faults::space::no_growth};
    CHECK(x.size() == 10);
    for (auto i = 11; i <= 20; ++i)
      CHECK(x.push(i));
    x.run(1s);
    CHECK(x.lost == up_to(20, 11));
    for (const auto& why : x.reasons)
      CHECK(why.find("disk is full") != std::string::npos);
    CHECK(x.troubles.size() == 1);
    // What is there can be sent, but not taken out.
    auto seen = x.send_all();
    x.faults().left = sim::disk_faults::space::enough;
    for (auto i = 21; i <= 30; ++i)
      CHECK(x.push(i));
    for (auto each : x.send_all())
      seen.push_back(each);
    auto expected = up_to(30);
    expected.erase(expected.begin() + 10, expected.begin() + 20);
    CHECK(seen == expected);
    CHECK(x.lost.size() == 10);
    CHECK(x.size() == 0);
  }
  CHECK(process{disk, 0}.size() == 0);
}

TEST_CASE("spill disk: a time that was damaged in the file is over",
          "[link][spill]") {
  sim::disk disk{1};
  leave(disk, 1);
  {
    auto of = disk.start(2);
    auto file = *bridge::spill_file::open({.file = "a.spill", .vfs = of.vfs()});
    std::vector<bridge::spill_file::message> found;
    REQUIRE(!file->read("/queues/q", 0, 1, 1, found).why);
    found.at(0).expires = std::numeric_limits<std::int64_t>::min();
    REQUIRE(!file->write({}, {1}).why);
    REQUIRE(!file->write(found, {}).why);
    file->close();
  }
  process x{disk, 4};
  x.run(1s);
  CHECK(x.take_expired() == 1);
}

TEST_CASE("spill disk: nobody waits for room for what can never have any",
          "[link][spill]") {
  sim::disk disk{1};
  process x{disk, 0, sim::disk_faults::space::enough, 250'000};
  CHECK(!x.push(1, 300'000));
  CHECK(!x.waits());
  CHECK(x.push_aside(2));
  CHECK(x.push_aside(3));
  CHECK(!x.push(4));
  CHECK(x.waits());
  CHECK(!x.push(5, 300'000));
  CHECK(x.waits()); // who sent the fourth would be told in vain
}
