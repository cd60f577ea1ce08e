// Goal: every end of a delivery reaches the taker once, in order per thread,
// however many threads finish at the same time. Method: cases by hand; real
// threads that never have more unfinished than their window (TSan watches).
#include "bridge/border/settle_lane.hpp"

#include "tests/support/catch.hpp"

#include <atomic>
#include <thread>
#include <vector>

using rookery::bridge::outcome;
using rookery::bridge::settle_lane;
using rookery::bridge::settlement;

TEST_CASE("settle_lane: carries number and outcome, and reports the edge",
          "[bridge][settle_lane]") {
  settle_lane lane;
  lane.add_window(3);
  CHECK(lane.push(7, outcome::accepted()));
  CHECK_FALSE(lane.push(8, outcome::rejected("amqp:decode-error", "no")));
  CHECK_FALSE(lane.push(9, outcome::failure()));
  std::vector<settlement> out{{1, outcome::released()}};
  lane.take(out);
  REQUIRE(out.size() == 3);
  CHECK(out[0].delivery == 7);
  CHECK(out[0].result == outcome::accepted());
  CHECK(out[1].result.condition == "amqp:decode-error");
  CHECK(out[2].result.failed);
  CHECK(lane.push(10, outcome::accepted()));
}

TEST_CASE("settle_lane: its bound is the sum of the windows",
          "[bridge][settle_lane]") {
  settle_lane lane;
  lane.add_window(1);
  lane.add_window(2);
  for (std::uint64_t i = 0; i < 3; ++i)
    (void)lane.push(i, outcome::accepted());
  std::vector<settlement> out;
  lane.take(out);
  CHECK(out.size() == 3);
  lane.remove_window(2);
  CHECK(lane.push(4, outcome::accepted()));
  lane.take(out);
  CHECK(out.size() == 1);
}

TEST_CASE("settle_lane: many threads settle, nothing lost, in order",
          "[bridge][settle_lane]") {
  constexpr std::uint64_t threads_count = 4;
  constexpr std::uint64_t window = 32;
  constexpr std::uint64_t per_thread = 20'000;
  settle_lane lane;
  std::vector<std::atomic<std::uint64_t>> granted(threads_count);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < threads_count; ++i) {
    lane.add_window(window);
    granted[i] = window;
    threads.emplace_back([i, &granted, &lane] {
      for (std::uint64_t number = 0; number < per_thread; ++number) {
        // A delivery needs credit, and credit comes back with settlements.
        while (number >= granted[i].load(std::memory_order_acquire))
          std::this_thread::yield();
        (void)lane.push(i * per_thread + number, outcome::accepted());
      }
    });
  }
  std::vector<std::uint64_t> next(threads_count);
  std::vector<settlement> batch;
  bool in_order = true;
  for (std::uint64_t taken = 0; taken < threads_count * per_thread;) {
    lane.take(batch);
    if (batch.empty())
      std::this_thread::yield();
    for (const auto& [delivery, result, early] : batch) {
      const auto thread = delivery / per_thread;
      in_order = in_order && next[thread]++ == delivery % per_thread;
      granted[thread].fetch_add(1, std::memory_order_release);
    }
    taken += batch.size();
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(in_order);
  for (auto count : next)
    CHECK(count == per_thread);
}
