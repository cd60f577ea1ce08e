// Goal: nothing is lost or reordered between many pushing threads and the one
// that takes, both bounds hold, and the taker is woken exactly once per edge.
// Method: cases by hand on one thread, then real threads (TSan watches).
#include "bridge/border/send_queue.hpp"

#include "bridge/border/waker.hpp"
#include "tests/support/catch.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using rookery::bridge::push_result;
using rookery::bridge::send_queue;
using rookery::bridge::waker;

TEST_CASE("send_queue: reports the edge from empty to not empty",
          "[bridge][send_queue]") {
  send_queue<int> queue{{.messages_max = 10, .bytes_max = 100}};
  CHECK(queue.push(1, 1) == push_result::queued_first);
  CHECK(queue.push(2, 1) == push_result::queued);
  std::vector<int> out;
  CHECK(queue.take(1, out) == 1);
  CHECK(queue.push(3, 1) == push_result::queued);
  CHECK(queue.take(10, out) == 0);
  CHECK(out == std::vector{1, 2, 3});
  CHECK(queue.take(10, out) == 0);
  CHECK(queue.push(4, 1) == push_result::queued_first);
}

TEST_CASE("send_queue: is full by count", "[bridge][send_queue]") {
  send_queue<std::string> queue{{.messages_max = 2, .bytes_max = 1000}};
  CHECK(accepted(queue.push("a", 1)));
  CHECK(accepted(queue.push("b", 1)));
  std::string item = "a text too long for the string itself to hold it";
  const auto copy = item;
  CHECK(queue.push(std::move(item), 1) == push_result::full);
  CHECK(item == copy); // refused is untouched
  std::vector<std::string> out;
  CHECK(queue.take(1, out) == 1);
  CHECK(queue.push(std::move(item), 1) == push_result::queued);
}

TEST_CASE("send_queue: says what a push would do", "[bridge][send_queue]") {
  send_queue<int> queue{{.messages_max = 2, .bytes_max = 100}};
  CHECK(accepted(queue.push(1, 60)));
  CHECK(queue.would_push(40) == push_result::queued);
  CHECK(queue.would_push(41) == push_result::full);
  CHECK(accepted(queue.push(2, 1)));
  CHECK(queue.would_push(1) == push_result::full);
  queue.close();
  CHECK(queue.would_push(1) == push_result::closed);
}

TEST_CASE("send_queue: what expires leaves from anywhere, and makes room",
          "[bridge][send_queue]") {
  using namespace std::chrono_literals;
  send_queue<int> queue{{.messages_max = 4, .bytes_max = 100}};
  const send_queue<int>::time_point begin{};
  CHECK(accepted(queue.push(1, 10, begin + 2s)));
  CHECK(accepted(queue.push(2, 20)));
  CHECK(accepted(queue.push(3, 30, begin + 1s)));
  CHECK(accepted(queue.push(4, 40, begin + 3s)));
  std::vector<int> out;
  queue.take_expired(begin + 999ms, out);
  CHECK(out.empty());
  queue.take_expired(begin + 2s, out);
  CHECK(out == std::vector{1, 3});
  CHECK(queue.bytes() == 60);
  CHECK(queue.push(5, 40) == push_result::queued);
  out.clear();
  queue.take_expired(begin + 1h, out);
  CHECK(out == std::vector{4});
  out.clear();
  CHECK(queue.take(10, out) == 0);
  CHECK(out == std::vector{2, 5});
  CHECK(queue.bytes() == 0);
}

TEST_CASE("send_queue: the oldest make room for a newer one",
          "[bridge][send_queue]") {
  send_queue<int> queue{{.messages_max = 3, .bytes_max = 10}};
  const auto never = send_queue<int>::time_point::max();
  for (int i = 1; i <= 3; ++i)
    CHECK(accepted(queue.push(int{i}, 3)));
  const auto none = [](int) { return false; };
  std::vector<int> evicted;
  CHECK(accepted(queue.push_over(4, 3, never, none, evicted)));
  CHECK(evicted == std::vector{1});
  evicted.clear();
  CHECK(accepted(queue.push_over(5, 7, never, none, evicted)));
  CHECK(evicted == std::vector{2, 3});
  evicted.clear();
  CHECK(queue.push_over(6, 11, never, none, evicted) == push_result::full);
  CHECK(evicted.empty());
  CHECK(queue.bytes() == 10);
  std::vector<int> out;
  CHECK(queue.take(10, out) == 0);
  CHECK(out == std::vector{4, 5});
}

TEST_CASE("send_queue: a newer message pushes out none that is to stay",
          "[bridge][send_queue]") {
  constexpr auto never = send_queue<int>::time_point::max();
  send_queue<int> queue{{.messages_max = 3, .bytes_max = 10}};
  for (int i = 1; i <= 3; ++i)
    CHECK(accepted(queue.push(int{i}, 3)));
  const auto odd = [](int x) { return x % 2 == 1; };
  std::vector<int> evicted;
  CHECK(accepted(queue.push_over(4, 3, never, odd, evicted)));
  CHECK(evicted == std::vector{2});
  evicted.clear();
  CHECK(queue.push_over(5, 7, never, odd, evicted) == push_result::full);
  CHECK(evicted.empty());
  CHECK(accepted(queue.push_over(6, 4, never, odd, evicted)));
  CHECK(evicted == std::vector{4});
  std::vector<int> out;
  CHECK(queue.take(10, out) == 0);
  CHECK(out == std::vector{1, 3, 6});
  CHECK(queue.bytes() == 0);
}

TEST_CASE("send_queue: knows when half of each bound is free",
          "[bridge][send_queue]") {
  send_queue<int> queue{{.messages_max = 4, .bytes_max = 100}};
  CHECK(accepted(queue.push(1, 1)));
  CHECK(accepted(queue.push(2, 1)));
  CHECK(queue.half_empty());
  CHECK(accepted(queue.push(3, 1)));
  CHECK_FALSE(queue.half_empty());
  std::vector<int> out;
  static_cast<void>(queue.take(2, out));
  CHECK(queue.half_empty());
  CHECK(accepted(queue.push(4, 50)));
  CHECK_FALSE(queue.half_empty());
}

TEST_CASE("send_queue: is full by bytes", "[bridge][send_queue]") {
  send_queue<int> queue{{.messages_max = 100, .bytes_max = 10}};
  CHECK(queue.push(1, 11) == push_result::full);
  CHECK(queue.push(1, ~std::size_t{0}) == push_result::full);
  CHECK(queue.push(1, 6) == push_result::queued_first);
  CHECK(queue.push(2, 5) == push_result::full);
  CHECK(queue.push(3, 4) == push_result::queued);
  CHECK(queue.bytes() == 10);
  CHECK(queue.push(4, 0) == push_result::queued);
  std::vector<int> out;
  CHECK(queue.take(2, out) == 1);
  CHECK(queue.bytes() == 0);
  CHECK(queue.size() == 1);
}

TEST_CASE("send_queue: closed, it takes nothing more but gives what it has",
          "[bridge][send_queue]") {
  send_queue<int> queue{{.messages_max = 10, .bytes_max = 100}};
  CHECK(accepted(queue.push(1, 1)));
  queue.close();
  CHECK(queue.push(2, 1) == push_result::closed);
  std::vector<int> out;
  CHECK(queue.take(10, out) == 0);
  CHECK(out == std::vector{1});
}

namespace {

/// Stands for the IO thread's event loop: sleeps until woken.
class sleeper {
public:
  void wake() {
    std::lock_guard guard{mutex_};
    ++wakes_;
    changed_.notify_one();
  }

  /// Waits for a wake after the last one seen. False when none came in time.
  bool wait() {
    std::unique_lock guard{mutex_};
    const bool woken = changed_.wait_for(guard, std::chrono::seconds{30},
                                         [this] { return wakes_ != seen_; });
    seen_ = wakes_;
    return woken;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int wakes_ = 0;
  int seen_ = 0;
};

struct item_type {
  int producer;
  int number;
};

constexpr int producers = 4;
constexpr int items_per_producer = 20'000;

/// Pushes all items of one producer, again and again where the queue is full.
/// @returns the number of edges it saw.
int produce(int producer, send_queue<item_type>& queue, waker& wake) {
  int edges = 0;
  for (int number = 0; number < items_per_producer;) {
    const auto result = queue.push({producer, number}, 10);
    if (result == push_result::queued_first) {
      ++edges;
      wake.notify();
    }
    if (accepted(result))
      ++number;
    else
      std::this_thread::yield();
  }
  return edges;
}

} // namespace

TEST_CASE("send_queue: many producers, one taker, nothing lost, in order",
          "[bridge][send_queue]") {
  send_queue<item_type> queue{{.messages_max = 64, .bytes_max = 500}};
  sleeper io;
  waker wake{[&io] { io.wake(); }};
  std::vector<std::thread> threads;
  std::vector<int> edges(producers);
  for (int i = 0; i < producers; ++i)
    threads.emplace_back([i, &edges, &queue, &wake] {
      edges[static_cast<std::size_t>(i)] = produce(i, queue, wake);
    });
  std::vector<int> next(producers);
  std::vector<item_type> batch;
  int taken = 0;
  int emptied = 0; // times the taker left nothing behind
  bool in_order = true;
  bool bounded = true;
  bool woken = true;
  while (woken && taken < producers * items_per_producer) {
    woken = io.wait();
    wake.reset();
    for (std::size_t left = 1; left > 0;) {
      batch.clear();
      left = queue.take(16, batch);
      bounded = bounded && queue.bytes() <= 500 && left <= 50;
      for (const auto& [producer, number] : batch)
        in_order =
            in_order && next[static_cast<std::size_t>(producer)]++ == number;
      taken += static_cast<int>(batch.size());
      if (left == 0 && !batch.empty())
        ++emptied;
    }
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(woken);
  CHECK(in_order);
  CHECK(bounded);
  CHECK(taken == producers * items_per_producer);
  // One edge each time the queue had been empty, no more and no less.
  int all_edges = 0;
  for (int count : edges)
    all_edges += count;
  CHECK(all_edges == emptied);
}

TEST_CASE("waker: wakes once until it is reset", "[bridge][waker]") {
  int wakes = 0;
  waker uut{[&wakes] { ++wakes; }};
  uut.notify();
  uut.notify();
  CHECK(wakes == 1);
  uut.reset();
  CHECK(wakes == 1);
  uut.notify();
  CHECK(wakes == 2);
}

TEST_CASE("waker: no push is left asleep behind a coalesced wake",
          "[bridge][waker]") {
  // Each thread pushes to a queue of its own and all share the waker, so that
  // most notifications are swallowed by somebody else's.
  sleeper io;
  waker wake{[&io] { io.wake(); }};
  std::vector<std::unique_ptr<send_queue<item_type>>> queues;
  std::vector<std::thread> threads;
  for (int i = 0; i < producers; ++i)
    queues.push_back(std::make_unique<send_queue<item_type>>(
        rookery::bridge::send_queue_limits{.messages_max = 32,
                                           .bytes_max = 1000}));
  for (int i = 0; i < producers; ++i)
    threads.emplace_back([i, &queues, &wake] {
      produce(i, *queues[static_cast<std::size_t>(i)], wake);
    });
  std::vector<item_type> batch;
  int taken = 0;
  bool woken = true;
  while (woken && taken < producers * items_per_producer) {
    woken = io.wait();
    wake.reset();
    for (auto& queue : queues) {
      batch.clear();
      queue->take(1000, batch);
      taken += static_cast<int>(batch.size());
    }
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(woken);
  CHECK(taken == producers * items_per_producer);
}
