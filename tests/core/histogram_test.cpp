// Goal: percentiles are never too low, and too high by less than 1/128.
// Method: against a sorted list of seeded values over the whole range.
#include "nodes/load/histogram.hpp"

#include "nodes/load/seeded_random.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <vector>

using namespace rookery::nodes;

TEST_CASE("histogram: empty, it says zero", "[nodes][histogram]") {
  histogram uut;
  CHECK(uut.count() == 0);
  CHECK(uut.percentile(0.99) == 0);
  CHECK(uut.max() == 0);
}

TEST_CASE("histogram: small values are exact", "[nodes][histogram]") {
  histogram uut;
  for (std::uint64_t i = 1; i <= 100; ++i)
    uut.record(i);
  CHECK(uut.percentile(0.5) == 50);
  CHECK(uut.percentile(0.99) == 99);
  CHECK(uut.percentile(1.0) == 100);
  CHECK(uut.percentile(0.0) == 1);
  CHECK(uut.mean() > 50.4);
  CHECK(uut.mean() < 50.6);
}

TEST_CASE("histogram: percentiles keep to their error", "[nodes][histogram]") {
  seeded_random random{7};
  histogram uut;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(random.next() >> random.below(64));
    uut.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (auto share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    auto rank = static_cast<std::size_t>(share * 10'000);
    auto exact = values[rank - 1];
    CHECK(uut.percentile(share) >= exact);
    CHECK(uut.percentile(share) - exact <= exact / 128);
  }
  CHECK(uut.max() == values.back());
}

TEST_CASE("histogram: the greatest number has a bucket", "[nodes][histogram]") {
  histogram uut;
  uut.record(~std::uint64_t{0});
  CHECK(uut.percentile(0.5) == ~std::uint64_t{0});
}

TEST_CASE("histogram: two add up", "[nodes][histogram]") {
  histogram one;
  histogram two;
  one.record(1);
  two.record(1'000'000);
  one.add(two);
  CHECK(one.count() == 2);
  CHECK(one.percentile(0.5) == 1);
  CHECK(one.max() == 1'000'000);
}
