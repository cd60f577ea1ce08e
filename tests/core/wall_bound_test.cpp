// Goal: a wall clock that jumps ahead is believed to be ahead by a little only.
#include "actors/store/wall_bound.hpp"

#include "tests/support/catch.hpp"

using namespace rookery::store;
using namespace std::chrono_literals;

namespace {

const time_point wall{1'800'000'000s};
const wall_bound::steady_time steady{5h};
const wall_bound uut{wall, steady};

} // namespace

TEST_CASE("wall bound: a clock that keeps time is believed", "[store][clock]") {
  CHECK(uut(wall, steady) == wall);
  CHECK(uut(wall + 24h, steady + 24h) == wall + 24h);
}

TEST_CASE("wall bound: small corrections and drift are believed",
          "[store][clock]") {
  CHECK(uut(wall + 10s, steady) == wall + 10s);
  CHECK(uut(wall + 100h + 1h, steady + 100h) == wall + 101h);
}

TEST_CASE("wall bound: a clock that jumps ahead is not", "[store][clock]") {
  CHECK(uut(wall + 24h, steady) == wall + 10s);
  CHECK(uut(wall + 48h, steady + 100s) == wall + 111s);
}

TEST_CASE("wall bound: a clock that is behind is believed", "[store][clock]") {
  CHECK(uut(wall - 24h, steady + 1h) == wall - 24h);
}
