// Goal: ids of a partition always rise, whatever the clock does.
// Method: hand-made clocks.
#include "actors/tweet/next_id.hpp"

#include "tests/support/catch.hpp"

#include <random>

using namespace rookery::actors;
using namespace std::chrono_literals;
using time_point = std::chrono::system_clock::time_point;

namespace {

const time_point epoch{1'767'225'600s}; // 2026-01-01 UTC

std::uint64_t milliseconds_of(tweet_id id) { return id >> 22; }
std::uint64_t counter_of(tweet_id id) { return id & 0xFFF; }

} // namespace

TEST_CASE("next_id: holds time, partition and counter", "[tweet][id]") {
  auto id = next_id(0, 1023, epoch + 5s);
  CHECK(milliseconds_of(id) == 5000);
  CHECK(partition_of_id(id) == 1023);
  CHECK(counter_of(id) == 0);
  CHECK(next_id(id, 1023, epoch + 5s) == id + 1);
  CHECK(milliseconds_of(next_id(id, 1023, epoch + 5001ms)) == 5001);
}

TEST_CASE("next_id: is never zero", "[tweet][id]") {
  CHECK(next_id(0, 0, epoch) == 1);
}

TEST_CASE("next_id: rises when the clock goes back", "[tweet][id]") {
  auto id = next_id(0, 3, epoch + 1h);
  CHECK(next_id(id, 3, epoch) == id + 1);
  CHECK(next_id(id, 3, epoch - 24h * 365) == id + 1);
  CHECK(next_id(id, 3, time_point::min()) == id + 1);
}

TEST_CASE("next_id: a clock beyond its 69 years does not use ids up",
          "[tweet][id]") {
  auto id = next_id(0, 3, epoch + 1h);
  CHECK(next_id(id, 3, epoch + 24h * 365 * 80) == id + 1);
  CHECK(next_id(id, 3, time_point::max()) == id + 1);
}

TEST_CASE("next_id: a full counter borrows the next millisecond",
          "[tweet][id]") {
  auto now = epoch + 1s;
  auto id = next_id(0, 3, now);
  for (int i = 0; i < 4095; ++i)
    id = next_id(id, 3, now);
  CHECK(counter_of(id) == 4095);
  auto next = next_id(id, 3, now);
  CHECK(milliseconds_of(next) == 1001);
  CHECK(counter_of(next) == 0);
  CHECK(partition_of_id(next) == 3);
  CHECK(next > id);
}

TEST_CASE("next_id: ends rather than repeats itself", "[tweet][id]") {
  auto last = (UINT64_C(1) << 63) - 1;
  CHECK(next_id(last, 1023, epoch) == 0);
}

TEST_CASE("next_id: always rises and keeps its partition, for any clock",
          "[tweet][id]") {
  std::mt19937_64 random{20260101};
  tweet_id id = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto now = epoch + std::chrono::milliseconds{random() % 1000} - 200ms;
    auto next = next_id(id, 7, now);
    REQUIRE(next > id);
    REQUIRE(partition_of_id(next) == 7);
    id = next;
  }
}
