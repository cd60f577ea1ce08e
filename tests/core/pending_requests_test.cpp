// Goal: every request leaves the table exactly once, by its reply or at its
// deadline, and the table never grows past its bound. Method: cases by hand; a
// random walk (ROOKERY_SEED) against an ordered map.
#include "bridge/core/pending_requests.hpp"

#include "testing/seed.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using rookery::testing::random_source;
using table = rookery::bridge::pending_requests<std::string>;
using time_point = table::time_point;

namespace {

time_point at(int seconds) { return time_point{std::chrono::seconds{seconds}}; }

std::vector<std::uint64_t> expire(table& requests, time_point now) {
  std::vector<std::uint64_t> result;
  const auto count =
      requests.expire(now, [&result](std::uint64_t number, std::string&&) {
        result.push_back(number);
      });
  CHECK(count == result.size());
  return result;
}

} // namespace

TEST_CASE("pending_requests: a reply finds its request once",
          "[bridge][pending_requests]") {
  table requests{10};
  CHECK(requests.add(7, at(1), "a"));
  CHECK(requests.add(3, at(1), "b"));
  CHECK(requests.take(7) == "a");
  CHECK(requests.late_replies() == 0);
  CHECK_FALSE(requests.take(7));
  CHECK_FALSE(requests.take(99));
  CHECK(requests.late_replies() == 2);
  CHECK(requests.size() == 1);
}

TEST_CASE("pending_requests: a request too many is refused and kept whole",
          "[bridge][pending_requests]") {
  table requests{2};
  CHECK(requests.add(1, at(1), "a"));
  CHECK(requests.add(2, at(1), "b"));
  std::string value = "a value too long for the string itself to hold it";
  const auto copy = value;
  CHECK_FALSE(requests.add(3, at(1), std::move(value)));
  CHECK(value == copy);
  CHECK(requests.take(1));
  CHECK(requests.add(3, at(1), std::move(value)));
  CHECK(requests.take(3) == copy);
}

TEST_CASE("pending_requests: expires in order of deadlines",
          "[bridge][pending_requests]") {
  table requests{10};
  CHECK_FALSE(requests.next_deadline());
  CHECK(requests.add(1, at(30), "a"));
  CHECK(requests.add(2, at(10), "b"));
  CHECK(requests.add(3, at(20), "c"));
  CHECK(requests.add(4, at(10), "d"));
  CHECK(requests.next_deadline() == at(10));
  using numbers = std::vector<std::uint64_t>;
  CHECK(expire(requests, at(9)) == numbers{});
  CHECK(expire(requests, at(20)) == numbers{2, 4, 3});
  CHECK(requests.next_deadline() == at(30));
  CHECK_FALSE(requests.take(2)); // its reply is late now
  CHECK(requests.late_replies() == 1);
  CHECK(expire(requests, at(31)) == numbers{1});
  CHECK(requests.size() == 0);
}

TEST_CASE("pending_requests: an expired request may be asked again at once",
          "[bridge][pending_requests]") {
  table requests{1};
  CHECK(requests.add(1, at(1), "a"));
  const auto count =
      requests.expire(at(5), [&requests](std::uint64_t, std::string&& x) {
        CHECK(requests.add(2, at(10), std::move(x)));
      });
  CHECK(count == 1);
  CHECK(requests.take(2) == "a");
}

TEST_CASE("pending_requests: holds values that can only be moved",
          "[bridge][pending_requests]") {
  rookery::bridge::pending_requests<std::unique_ptr<int>> requests{1};
  CHECK(requests.add(1, at(1), std::make_unique<int>(7)));
  const auto value = requests.take(1);
  REQUIRE(value);
  CHECK(**value == 7);
}

TEST_CASE("pending_requests: behaves as a map in every random walk",
          "[bridge][pending_requests]") {
  const auto seed = rookery::testing::seed();
  INFO("ROOKERY_SEED=" << seed);
  random_source random{seed};
  table requests{200};
  std::map<std::uint64_t, std::pair<int, std::string>> model; // by number
  int now = 0;
  std::uint64_t last = 0;
  for (int step = 0; step < 50'000; ++step) {
    const auto dice = random.below(10);
    if (dice < 5) {
      const auto deadline = now + 1 + static_cast<int>(random.below(300));
      auto text = std::to_string(++last);
      const bool added = requests.add(last, at(deadline), std::string{text});
      REQUIRE(added == (model.size() < 200));
      if (added)
        model[last] = {deadline, text};
    } else if (dice < 9) {
      const auto number = last - std::min(last, random.below(400));
      const auto value = requests.take(number);
      const auto expected = model.find(number);
      REQUIRE(value.has_value() == (expected != model.end()));
      if (value) {
        REQUIRE(*value == expected->second.second);
        model.erase(expected);
      }
    } else {
      ++now;
      std::vector<std::pair<int, std::uint64_t>> due; // in order
      for (const auto& [number, entry] : model)
        if (entry.first <= now)
          due.emplace_back(entry.first, number);
      std::sort(due.begin(), due.end());
      const auto expired = expire(requests, at(now));
      REQUIRE(expired.size() == due.size());
      for (std::size_t i = 0; i < due.size(); ++i) {
        REQUIRE(expired[i] == due[i].second);
        model.erase(expired[i]);
      }
    }
    REQUIRE(requests.size() == model.size());
  }
}
