// Goal: delays grow, stay within their bounds and spread over them. Method:
// generators that always draw the least or the most, and a fair one.
#include "bridge/core/backoff.hpp"

#include "testing/seed.hpp"
#include "tests/support/catch.hpp"

#include <cstdint>
#include <utility>
#include <vector>

using rookery::bridge::backoff;
using std::chrono::milliseconds;

namespace {

const rookery::bridge::backoff_options options{.delay_min = milliseconds{20},
                                               .first = milliseconds{100},
                                               .delay_max = milliseconds{1000}};

} // namespace

TEST_CASE("backoff: the ceiling doubles up to its cap", "[bridge][backoff]") {
  // A draw of the ceiling itself is the longest delay; one more wraps around.
  for (const auto& [attempt, ceiling] : std::vector<std::pair<int, int>>{
           {0, 100}, {1, 200}, {2, 400}, {3, 800}, {4, 1000}, {50, 1000}}) {
    CAPTURE(attempt);
    std::uint64_t draw = 0;
    backoff uut{options, [&draw] { return draw; }};
    for (int i = 0; i < attempt; ++i)
      (void)uut.next();
    CHECK(uut.attempts() == static_cast<std::uint32_t>(attempt));
    auto same = uut;
    draw = static_cast<std::uint64_t>(ceiling);
    CHECK(same.next() == milliseconds{ceiling});
    draw = static_cast<std::uint64_t>(ceiling) + 1;
    CHECK(uut.next() == options.delay_min);
  }
}

TEST_CASE("backoff: the luckiest draw still waits", "[bridge][backoff]") {
  backoff uut{options, [] { return std::uint64_t{0}; }};
  for (int i = 0; i < 5; ++i)
    CHECK(uut.next() == options.delay_min);
}

TEST_CASE("backoff: success starts over", "[bridge][backoff]") {
  backoff uut{options, [] { return std::uint64_t{100}; }};
  (void)uut.next();
  (void)uut.next();
  uut.reset();
  CHECK(uut.attempts() == 0);
  CHECK(uut.next() == milliseconds{100});
}

TEST_CASE("backoff: delays spread over their whole range",
          "[bridge][backoff]") {
  const auto seed = rookery::testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  backoff uut{options, rookery::testing::random_source{seed}};
  for (int i = 0; i < 10; ++i)
    (void)uut.next();
  std::vector<int> quarters(4);
  for (int i = 0; i < 4000; ++i) {
    const auto delay = uut.next();
    REQUIRE(delay >= options.delay_min);
    REQUIRE(delay <= options.delay_max);
    ++quarters[static_cast<std::size_t>((delay.count() - 1) / 250)];
  }
  for (int count : quarters)
    CHECK(count > 800);
}
