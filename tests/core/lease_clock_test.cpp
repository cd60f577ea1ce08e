// How long a node may take itself for an owner.
#include "bridge/border/lease_clock.hpp"

#include "tests/support/catch.hpp"

using namespace std::chrono_literals;
using rookery::bridge::lease_clock;

namespace {

const lease_clock::time_point start{std::chrono::hours{1}};

} // namespace

TEST_CASE("lease clock: a lease begins when the broker is heard",
          "[bridge][lease]") {
  lease_clock uut{4s};
  CHECK_FALSE(uut.held(start));
  uut.heard(start);
  CHECK(uut.held(start));
}

TEST_CASE("lease clock: ends when nothing is heard for too long",
          "[bridge][lease]") {
  lease_clock uut{4s};
  uut.heard(start);
  CHECK(uut.held(start + 4s));
  CHECK_FALSE(uut.held(start + 4s + 1ns));
  uut.heard(start + 3s);
  CHECK(uut.held(start + 7s));
}

TEST_CASE("lease clock: ends with its connection and does not come back",
          "[bridge][lease]") {
  lease_clock uut{4s};
  const auto first = uut.connection();
  uut.heard(start);
  CHECK(uut.held(start, first));
  uut.lost();
  CHECK_FALSE(uut.held(start));
  const auto second = uut.connection();
  CHECK(second != first);
  CHECK_FALSE(uut.held(start, second)); // not open yet
  uut.heard(start + 1s);
  CHECK(uut.held(start + 1s, second));
  CHECK_FALSE(uut.held(start + 1s, first));
}

TEST_CASE("lease clock: without a timeout it lasts as long as the connection",
          "[bridge][lease]") {
  lease_clock uut{0s};
  uut.heard(start);
  CHECK(uut.held(start + 24h));
  uut.lost();
  CHECK_FALSE(uut.held(start));
}
