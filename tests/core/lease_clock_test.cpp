// How long a node may take itself for an owner.
#include "bridge/border/lease_clock.hpp"

#include "tests/support/catch.hpp"

using namespace std::chrono_literals;
using rookery::bridge::lease_clock;

namespace {

const lease_clock::time_point start{std::chrono::hours{1}};

} // namespace

TEST_CASE("lease clock: a lease begins when it is given", "[bridge][lease]") {
  lease_clock uut;
  CHECK_FALSE(uut.held(start));
  uut.extend(start);
  CHECK(uut.held(start));
}

TEST_CASE("lease clock: ends when it is not extended", "[bridge][lease]") {
  lease_clock uut;
  uut.extend(start + 4s);
  CHECK(uut.held(start + 4s));
  CHECK_FALSE(uut.held(start + 4s + 1ns));
  uut.extend(start + 7s);
  CHECK(uut.held(start + 7s));
}

TEST_CASE("lease clock: ends with its connection and does not come back",
          "[bridge][lease]") {
  lease_clock uut;
  const auto first = uut.connection();
  uut.extend(start + 4s);
  CHECK(uut.held(start, first));
  uut.lost();
  CHECK_FALSE(uut.held(start));
  const auto second = uut.connection();
  CHECK(second != first);
  CHECK_FALSE(uut.held(start, second)); // not open yet
  uut.extend(start + 5s);
  CHECK(uut.held(start + 1s, second));
  CHECK_FALSE(uut.held(start + 1s, first));
}

TEST_CASE("lease clock: without an end it lasts as long as the connection",
          "[bridge][lease]") {
  lease_clock uut;
  uut.extend(lease_clock::time_point::max());
  CHECK(uut.held(start + 24h));
  uut.lost();
  CHECK_FALSE(uut.held(start));
}
