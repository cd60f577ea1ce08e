// Goal: a random test runs many seeds, and one when it is told which.
#include "testing/seed.hpp"

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

using rookery::testing::each_seed;

namespace {

/// ROOKERY_SEED as a case wants it, and as it was again.
struct seed_variable {
  explicit seed_variable(const char* text) {
    if (const char* x = std::getenv(name))
      before = x;
    text ? setenv(name, text, 1) : unsetenv(name);
  }
  ~seed_variable() {
    before.empty() ? unsetenv(name) : setenv(name, before.c_str(), 1);
  }

  static constexpr const char* name = "ROOKERY_SEED";
  std::string before;
};

std::vector<std::uint64_t> seeds(std::uint64_t count) {
  std::vector<std::uint64_t> result;
  each_seed(count, [&](std::uint64_t x) { result.push_back(x); });
  return result;
}

} // namespace

TEST_CASE("seed: each of a count, from one", "[testing][seed]") {
  seed_variable none{nullptr};
  CHECK(seeds(3) == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("seed: the one of the environment alone", "[testing][seed]") {
  seed_variable one{"41"};
  CHECK(seeds(3) == std::vector<std::uint64_t>{41});
}

TEST_CASE("seed: the first that fails ends it", "[testing][seed]") {
  seed_variable none{nullptr};
  std::uint64_t last = 0;
  CHECK_THROWS_AS(each_seed(9,
                            [&](std::uint64_t x) {
                              last = x;
                              if (x == 2)
                                throw std::runtime_error{"no"};
                            }),
                  std::runtime_error);
  CHECK(last == 2);
}

TEST_CASE("seed: what is no number is refused", "[testing][seed]") {
  for (const char* text : {"", "abc", "7x", "-1", "99999999999999999999"}) {
    seed_variable wrong{text};
    CHECK_THROWS_AS(seeds(3), std::invalid_argument);
  }
}
