// Goal: the ledger keeps every unsettled send, in order, until its one
// outcome. Method: cases by hand; a random walk (ROOKERY_SEED) against a map.
#include "bridge/core/send_window.hpp"

#include "testing/seed.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using rookery::testing::random_source;
using window_type = rookery::bridge::send_window<std::string>;
using time_point = window_type::time_point;

namespace {

time_point at(int seconds) { return time_point{std::chrono::seconds{seconds}}; }

std::vector<std::pair<std::uint64_t, std::string>>
unsettled(window_type& window) {
  std::vector<std::pair<std::uint64_t, std::string>> result;
  window.for_each_unsettled(
      [&result](std::uint64_t number, const std::string& item) {
        result.emplace_back(number, item);
      });
  return result;
}

} // namespace

TEST_CASE("send_window: numbers start at one and rise by one",
          "[bridge][send_window]") {
  window_type window{3};
  CHECK(window.empty());
  CHECK(window.push("a", at(1)) == 1);
  CHECK(window.push("b", at(2)) == 2);
  CHECK(window.settle(1) == "a");
  CHECK(window.push("c", at(3)) == 3);
  CHECK(window.settle(2) == "b");
  CHECK(window.settle(3) == "c");
  CHECK(window.empty());
  CHECK(window.push("d", at(4)) == 4);
}

TEST_CASE("send_window: outcomes may come in any order",
          "[bridge][send_window]") {
  window_type window{4};
  for (const char* item : {"a", "b", "c", "d"})
    window.push(item, at(1));
  CHECK(window.settle(3) == "c");
  CHECK(window.settle(2) == "b");
  CHECK(window.unsettled() == 2);
  using pairs = std::vector<std::pair<std::uint64_t, std::string>>;
  CHECK(unsettled(window) == pairs{{1, "a"}, {4, "d"}});
  CHECK(window.settle(1) == "a");
  CHECK(window.room() == 3); // b and c went with the oldest
  CHECK(window.settle(4) == "d");
}

TEST_CASE("send_window: a second outcome or a foreign number changes nothing",
          "[bridge][send_window]") {
  window_type window{3};
  window.push("a", at(1));
  window.push("b", at(1));
  CHECK(window.settle(2) == "b");
  CHECK_FALSE(window.settle(2));
  CHECK_FALSE(window.settle(0));
  CHECK_FALSE(window.settle(3));
  CHECK_FALSE(window.settle(~std::uint64_t{0}));
  CHECK(window.unsettled() == 1);
  CHECK(window.settle(1) == "a");
  CHECK_FALSE(window.settle(1));
}

TEST_CASE("send_window: a missing outcome holds the window, not the memory",
          "[bridge][send_window]") {
  window_type window{3};
  window.push("stuck", at(1));
  window.push("b", at(1));
  window.push("c", at(1));
  CHECK(window.full());
  CHECK(window.settle(2));
  CHECK(window.settle(3));
  CHECK(window.full());
  CHECK(window.unsettled() == 1);
  CHECK(window.settle(1));
  CHECK_FALSE(window.full());
  CHECK(window.room() == 3);
}

TEST_CASE("send_window: expires when the oldest has waited too long",
          "[bridge][send_window]") {
  window_type window{3};
  CHECK_FALSE(window.expired(at(100)));
  CHECK_FALSE(window.oldest_deadline());
  window.push("a", at(10));
  window.push("b", at(20));
  CHECK_FALSE(window.expired(at(9)));
  CHECK(window.expired(at(10)));
  CHECK(window.settle(1));
  CHECK(window.oldest_deadline() == at(20));
  CHECK_FALSE(window.expired(at(10)));
  CHECK(window.oldest() == 2);
  window.restart_deadline(2, at(50));
  CHECK_FALSE(window.expired(at(49)));
  CHECK(window.expired(at(50)));
}

TEST_CASE("send_window: the newest stays in place until its outcome",
          "[bridge][send_window]") {
  window_type window{300};
  window.push("first", at(1));
  const auto* first = &window.newest();
  for (int i = 0; i < 200; ++i)
    window.push("later", at(1));
  for (std::uint64_t number = 2; number < 150; ++number)
    CHECK(window.settle(number));
  CHECK(*first == "first");
  CHECK(window.newest() == "later");
}

TEST_CASE("send_window: holds items that can only be moved",
          "[bridge][send_window]") {
  rookery::bridge::send_window<std::unique_ptr<int>> window{1};
  const auto number = window.push(std::make_unique<int>(7), at(1));
  const auto item = window.settle(number);
  REQUIRE(item);
  CHECK(**item == 7);
}

TEST_CASE("send_window: behaves as a map in every random walk",
          "[bridge][send_window]") {
  const auto seed = rookery::testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  random_source random{seed};
  window_type window{50};
  std::map<std::uint64_t, std::string> model;
  std::uint64_t last = 0;
  for (int step = 0; step < 50'000; ++step) {
    if (!window.full() && random.below(2) == 0) {
      const auto text = std::to_string(step);
      last = window.push(text, at(step));
      REQUIRE(model.emplace(last, text).second);
    } else {
      const auto number = last - std::min(last, random.below(60));
      const auto item = window.settle(number);
      const auto expected = model.find(number);
      REQUIRE(item.has_value() == (expected != model.end()));
      if (item) {
        REQUIRE(*item == expected->second);
        model.erase(expected);
      }
    }
    REQUIRE(window.unsettled() == model.size());
    if (step % 500 == 0) {
      const std::vector<std::pair<std::uint64_t, std::string>> all{
          model.begin(), model.end()};
      REQUIRE(unsettled(window) == all);
    }
  }
}
