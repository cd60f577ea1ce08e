// Goal: what a consumer holds costs memory for what it holds, not for what it
// ever held.
// Method: one delivery is kept while many pass.
#include "broker/core/unsettled.hpp"
#include "tests/core/broker_shell.hpp"

#include <algorithm>

namespace rookery::broker::tests {

TEST_CASE("unsettled: slots are reused while an old delivery stays") {
  unsettled held;
  const auto message = text_message("a");
  const auto oldest = held.put({message, 0});
  delivery_id before = 0;
  entry taken;
  for (std::uint64_t position = 1; position < 1'000; ++position) {
    const auto id = held.put({message, position});
    CHECK(static_cast<std::uint32_t>(id) <= 1); // the slot's index
    CHECK(id != before);
    CHECK_FALSE(held.take(before, taken));
    REQUIRE(held.take(id, taken));
    CHECK(taken.position == position);
    before = id;
  }
  CHECK(held.size() == 1);
  REQUIRE(held.take(oldest, taken));
  CHECK(taken.position == 0);
}

TEST_CASE("unsettled: taking all gives each once and leaves nothing") {
  unsettled held;
  const auto message = text_message("a");
  entry taken;
  (void)held.put({message, 1});
  const auto second = held.put({message, 2});
  (void)held.put({message, 3});
  REQUIRE(held.take(second, taken));
  std::vector<std::uint64_t> positions;
  held.take_all([&](entry each) { positions.push_back(each.position); });
  std::sort(positions.begin(), positions.end());
  CHECK(positions == std::vector<std::uint64_t>{1, 3});
  CHECK(held.empty());
}

} // namespace rookery::broker::tests
