// Goal: a spill outlives a disk that fails for a moment, or is full for a
// while, and loses nothing by it that it has not told; who waits for room waits
// no longer than there is none. Method: the spill on the
// simulated disk, its thread by hand, in virtual time.
#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/spill/spill.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/spill_leaf.hpp"

#include <deque>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::spill;

namespace {

using numbers = std::vector<std::uint64_t>;

// More of them than SQLite keeps in memory, at 100,000 bytes each.
constexpr std::uint64_t many = 40;

numbers up_to(std::uint64_t last, std::uint64_t from = 1) {
  numbers result(last - from + 1);
  std::iota(result.begin(), result.end(), from);
  return result;
}

class hand_worker final : public bridge::worker {
public:
  explicit hand_worker(std::deque<std::function<void()>>& work) : work_{work} {}
  ~hand_worker() override { work_.clear(); }
  void post(std::function<void()> f) override { work_.push_back(std::move(f)); }
  void stop() override { work_.clear(); }

private:
  std::deque<std::function<void()>>& work_;
};

void turn_bit(sim::disk& disk, char kind, int leaf, std::size_t at, int bit) {
  testing::change_leaf(disk.start(2), "a.spill", kind, leaf,
                       [=](std::string& page) {
                         page[at] = static_cast<char>(page[at] ^ (1 << bit));
                       });
}

// A process with a spill that sends to one queue.
class process {
public:
  process(sim::disk& disk, std::size_t in_memory_max,
          sim::disk_faults::space left = sim::disk_faults::space::enough,
          std::uint64_t bytes_max = 1U << 30)
      : process_{disk.start(1)} {
    process_.faults().left = left;
    auto file =
        bridge::spill_file::open({.file = "a.spill",
                                  .bytes_max = bytes_max,
                                  .messages_in_memory_max = in_memory_max,
                                  .vfs = process_.vfs()});
    REQUIRE(file);
    spill_.emplace(
        *file, world_,
        spill::owner{[this](const auto& x, const auto& why) {
                       lost.push_back(x.waiting);
                       reasons.push_back(why);
                     },
                     [] {},
                     [this](const auto& why) { troubles.push_back(why); }});
    lane_ = spill_->make_lane("/queues/q", queue_);
    aside_ = spill_->make_lane("/queues/aside", aside_queue_);
  }
  ~process() { process_.kill(); }

  sim::disk_faults& faults() { return process_.faults(); }

  bool push(std::uint64_t number, std::size_t bytes = 100'000) {
    return push_to(lane_, number, bytes);
  }
  // To a queue from which nothing is taken.
  bool push_aside(std::uint64_t number, std::size_t bytes = 100'000) {
    return push_to(aside_, number, bytes);
  }

  // As an IO thread does, every 50 ms.
  void run(std::chrono::milliseconds time) {
    for (; time.count() > 0; time -= 50ms) {
      spill_->turn();
      while (!work_.empty()) {
        const auto f = std::move(work_.front());
        work_.pop_front();
        f();
      }
      now_ += 50ms;
    }
  }

  // Takes from the queue what is in it; the broker has it. @returns the places
  numbers send() { return send_from(*queue_); }
  numbers send_aside() { return send_from(*aside_queue_); }

  // The same, as long as there is any.
  numbers send_all() {
    numbers result;
    for (int idle = 0; idle < 50; ++idle) {
      run(50ms);
      for (auto x : send()) {
        result.push_back(x);
        idle = 0;
      }
    }
    return result;
  }

  // Stops, with nothing under way.
  bool keep() { return spill_->keep({}) == 0; }

  // How many in the queue are worth sending no more.
  std::size_t take_expired() {
    std::vector<amqp::outgoing> out;
    queue_->take_expired(now_, out);
    return out.size();
  }

  [[nodiscard]] std::uint64_t size() const { return spill_->size(); }
  [[nodiscard]] bool waits() const { return spill_->waits(*lane_); }

  numbers lost;
  std::vector<std::string> reasons;
  std::vector<std::string> troubles;

private:
  numbers send_from(amqp::outgoing_queue& from) {
    std::vector<amqp::outgoing> out;
    from.take(1'000, out);
    numbers result;
    for (const auto& x : out) {
      result.push_back(x.place);
      spill_->ended(x);
    }
    return result;
  }

  bool push_to(const std::shared_ptr<bridge::spill_lane>& to,
               std::uint64_t number, std::size_t bytes) {
    bridge::envelope x;
    const std::string body(bytes, 'x');
    x.body = body;
    amqp::outgoing item;
    amqp::encode_message(x, item.bytes);
    item.waiting = number;
    return accepted(spill_->push(to, std::move(item)));
  }

  sim::disk_process process_;
  std::chrono::steady_clock::time_point now_{1h};
  std::deque<std::function<void()>> work_;
  bridge::environment world_{
      [this] { return now_; },
      [this] {
        return std::chrono::system_clock::time_point{now_.time_since_epoch()};
      },
      [] { return std::uint64_t{1}; },
      {},
      [this] { return std::make_unique<hand_worker>(work_); }};
  std::shared_ptr<amqp::outgoing_queue> queue_ =
      std::make_shared<amqp::outgoing_queue>(bridge::send_queue_limits{});
  std::shared_ptr<amqp::outgoing_queue> aside_queue_ =
      std::make_shared<amqp::outgoing_queue>(bridge::send_queue_limits{});
  std::optional<spill> spill_;
  std::shared_ptr<bridge::spill_lane> lane_;
  std::shared_ptr<bridge::spill_lane> aside_;
};

// What a process leaves that was killed.
void leave(sim::disk& disk, std::uint64_t count) {
  process x{disk, 0};
  for (std::uint64_t i = 1; i <= count; ++i)
    REQUIRE(x.push(i));
  x.run(1s);
  CHECK(x.lost.empty());
}

// With short messages, of which nothing is in the WAL any more.
void fill(sim::disk& disk, std::uint64_t count) {
  process x{disk, 0};
  for (std::uint64_t i = 1; i <= count; ++i)
    REQUIRE(x.push(i, 10));
  x.run(1s);
  CHECK(x.keep());
}

} // namespace

TEST_CASE("spill disk: reads that fail for a moment lose nothing",
          "[link][spill]") {
  sim::disk disk{1};
  leave(disk, many);
  process x{disk, 4};
  x.run(200ms);
  auto seen = x.send();
  CHECK(!seen.empty());
  x.faults().no_read = true;
  x.run(1s);
  for (auto each : x.send())
    seen.push_back(each);
  x.run(500ms);
  CHECK(x.send().empty());
  CHECK(x.troubles.size() > 0);
  x.faults().no_read = false;
  for (auto each : x.send_all())
    seen.push_back(each);
  CHECK(seen == up_to(many));
  CHECK(x.lost.empty());
  CHECK(x.size() == 0);
}

TEST_CASE("spill disk: what cannot be taken out for a moment is not sent by "
          "the next process",
          "[link][spill]") {
  sim::disk disk{1};
  leave(disk, many);
  {
    process x{disk, 2 * many};
    x.run(1s);
    x.faults().no_read = true;
    CHECK(x.send() == up_to(many));
    x.run(1s);
    x.faults().no_read = false;
    CHECK(x.size() == 0);
    SECTION("and it goes on") { x.run(5s); }
    SECTION("and it stops") { CHECK(x.keep()); }
  }
  process next{disk, 4};
  CHECK(next.size() == 0);
}

TEST_CASE("spill disk: a full one refuses, says why, and goes on when there is "
          "room",
          "[link][spill]") {
  sim::disk disk{1};
  leave(disk, 10);
  {
    process x{disk, 0, sim::disk_faults::space::no_growth};
    CHECK(x.size() == 10);
    for (auto i = 11; i <= 20; ++i)
      CHECK(x.push(i));
    x.run(1s);
    CHECK(x.lost == up_to(20, 11));
    for (const auto& why : x.reasons)
      CHECK(why.find("disk is full") != std::string::npos);
    CHECK(x.troubles.size() == 1);
    // What is there can be sent, but not taken out.
    auto seen = x.send_all();
    x.faults().left = sim::disk_faults::space::enough;
    for (auto i = 21; i <= 30; ++i)
      CHECK(x.push(i));
    for (auto each : x.send_all())
      seen.push_back(each);
    auto expected = up_to(30);
    expected.erase(expected.begin() + 10, expected.begin() + 20);
    CHECK(seen == expected);
    CHECK(x.lost.size() == 10);
    CHECK(x.size() == 0);
  }
  CHECK(process{disk, 0}.size() == 0);
}

TEST_CASE("spill disk: a time that was damaged in the file is over",
          "[link][spill]") {
  sim::disk disk{1};
  leave(disk, 1);
  {
    auto of = disk.start(2);
    auto file = *bridge::spill_file::open({.file = "a.spill", .vfs = of.vfs()});
    std::vector<bridge::spill_file::message> found;
    REQUIRE(!file->read("/queues/q", 0, 1, 1, found).why);
    found.at(0).expires = std::numeric_limits<std::int64_t>::min();
    REQUIRE(!file->write({}, {1}).why);
    REQUIRE(!file->write(found, {}).why);
    file->close();
  }
  process x{disk, 4};
  x.run(1s);
  CHECK(x.take_expired() == 1);
}

TEST_CASE("spill disk: nobody waits for room for what can never have any",
          "[link][spill]") {
  sim::disk disk{1};
  process x{disk, 0, sim::disk_faults::space::enough, 250'000};
  CHECK(!x.push(1, 300'000));
  CHECK(!x.waits());
  CHECK(x.push_aside(2));
  CHECK(x.push_aside(3));
  CHECK(!x.push(4));
  CHECK(x.waits());
  CHECK(!x.push(5, 300'000));
  CHECK(x.waits()); // who sent the fourth would be told in vain
}

TEST_CASE(
    "spill disk: a bit of the index that has turned makes nothing go round "
    "in circles, or be lost in silence",
    "[link][spill]") {
  constexpr std::uint64_t count = 300;
  const auto at = GENERATE(range(0, 4'096, 36));
  const auto bit = GENERATE(0, 1, 7);
  INFO("byte " << at << " bit " << bit);
  sim::disk disk{1};
  fill(disk, count);
  turn_bit(disk, testing::index_leaf, 0, static_cast<std::size_t>(at), bit);
  std::set<std::uint64_t> seen;
  for (auto life = 0; life < 3; ++life) {
    process x{disk, 2 * count};
    const auto found = x.size();
    numbers sent;
    for (auto i = 0; i < 200; ++i) {
      x.run(500ms);
      for (auto each : x.send())
        sent.push_back(each);
    }
    CHECK(std::set(sent.begin(), sent.end()).size() == sent.size());
    CHECK(sent.size() + x.lost.size() <= count);
    CHECK(x.size() <= count);
    seen.insert(sent.begin(), sent.end());
    if (sent.size() + x.lost.size() < found)
      CHECK(!x.troubles.empty());
    CHECK(x.keep());
  }
  CHECK(seen.size() >= count - 1);
}

TEST_CASE("spill disk: a bit of the index that has turned sends nothing to "
          "another queue",
          "[link][spill]") {
  constexpr std::uint64_t count = 40;
  const auto from = GENERATE(range(3'456, 4'096, 64)); // where its entries are
  for (auto at = from; at < from + 64; ++at)
    for (auto bit = 0; bit < 8; ++bit) {
      INFO("byte " << at << " bit " << bit);
      sim::disk disk{1};
      {
        process x{disk, 0};
        for (std::uint64_t i = 1; i <= count; ++i)
          REQUIRE((i % 2 == 1 ? x.push(i, 10) : x.push_aside(i, 10)));
        x.run(1s);
        CHECK(x.keep());
      }
      turn_bit(disk, testing::index_leaf, 0, static_cast<std::size_t>(at), bit);
      std::set<std::uint64_t> seen;
      for (auto life = 0; life < 2; ++life) {
        process x{disk, 2 * count};
        std::size_t wrong = 0;
        for (auto i = 0; i < 10; ++i) {
          x.run(500ms);
          for (auto each : x.send()) {
            wrong += each % 2 == 0 ? 1 : 0;
            seen.insert(each);
          }
          for (auto each : x.send_aside()) {
            wrong += each % 2 == 1 ? 1 : 0;
            seen.insert(each);
          }
        }
        CHECK(wrong == 0);
        CHECK(x.keep());
      }
      CHECK(seen.size() >= count - 1);
    }
}

TEST_CASE("spill disk: a damaged index on a disk that is full for a moment "
          "loses no more",
          "[link][spill]") {
  constexpr std::uint64_t count = 300;
  const auto at = GENERATE(range(3'996, 4'096));
  const auto bit = GENERATE(range(0, 8));
  INFO("byte " << at << " bit " << bit);
  sim::disk disk{1};
  fill(disk, count);
  turn_bit(disk, testing::index_leaf, 0, static_cast<std::size_t>(at), bit);
  std::set<std::uint64_t> seen;
  for (auto life = 0; life < 2; ++life) {
    process x{disk, 2 * count};
    if (life == 0)
      x.faults().left = sim::disk_faults::space::no_growth;
    for (auto i = 0; i < 40; ++i) {
      x.run(500ms);
      for (auto each : x.send())
        seen.insert(each);
      if (i == 8) // longer than damage is doubted
        x.faults().left = sim::disk_faults::space::enough;
    }
    CHECK(x.lost.empty());
    CHECK(x.keep());
  }
  CHECK(seen.size() >= count - 1);
}

TEST_CASE(
    "spill disk: what a damaged leaf no longer shows is told to be lost, and "
    "its places are not taken anew",
    "[link][spill]") {
  constexpr std::uint64_t count = 300;
  const auto leaf = GENERATE(0, 1, 2, 3);
  sim::disk disk{1};
  fill(disk, count);
  // The number of its cells.
  turn_bit(disk, testing::table_leaf, leaf, 4, leaf == 3 ? 3 : 4);
  process x{disk, 0};
  REQUIRE(x.push_aside(count + 1));
  numbers sent;
  for (auto i = 0; i < 20; ++i) { // a tenth of a second each
    x.run(500ms);
    for (auto each : x.send())
      sent.push_back(each);
  }
  CHECK(sent.size() < count);
  CHECK(sent.size() + x.lost.size() == count);
  CHECK(sent.back() <= count);
  CHECK(x.size() == 1); // aside
}
