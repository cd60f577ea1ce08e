#pragma once

#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/spill/spill.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rookery::testing {

/// Work that waits until the test does it.
class hand_worker final : public bridge::worker {
public:
  explicit hand_worker(std::deque<std::function<void()>>& work) : work_{work} {}
  ~hand_worker() override { work_.clear(); }
  void post(std::function<void()> f) override { work_.push_back(std::move(f)); }
  void stop() override { work_.clear(); }

private:
  std::deque<std::function<void()>>& work_;
};

/// A process with a spill on a simulated disk, its thread by hand, in virtual
/// time. It sends to a queue, and there is another one aside.
class spill_process {
public:
  spill_process(sim::disk& disk, std::size_t in_memory_max,
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
    spill_.emplace(*file, world_,
                   bridge::spill::owner{
                       [this](const auto& x, const auto& why) {
                         lost.push_back(x.waiting);
                         reasons.push_back(why);
                       },
                       [] {},
                       [this](const auto& why) { troubles.push_back(why); }});
    lane_ = spill_->make_lane("/queues/q", queue_);
    aside_ = spill_->make_lane("/queues/aside", aside_queue_);
  }
  ~spill_process() { process_.kill(); }

  sim::disk_faults& faults() { return process_.faults(); }

  bool push(std::uint64_t number, std::size_t bytes = 100'000) {
    return push_to(lane_, number, bytes);
  }
  // To a queue from which nothing is taken.
  bool push_aside(std::uint64_t number, std::size_t bytes = 100'000) {
    return push_to(aside_, number, bytes);
  }

  // As an IO thread does.
  void run(std::chrono::milliseconds time) {
    for (; time.count() > 0; time -= turn_time) {
      spill_->turn();
      while (!work_.empty()) {
        const auto f = std::move(work_.front());
        work_.pop_front();
        f();
      }
      now_ += turn_time;
    }
  }

  // Takes from the queue what is in it; the broker has it. @returns the places
  std::vector<std::uint64_t> send() { return send_from(*queue_); }
  std::vector<std::uint64_t> send_aside() { return send_from(*aside_queue_); }

  // The same, as long as there is any.
  std::vector<std::uint64_t> send_all() {
    std::vector<std::uint64_t> result;
    for (int idle = 0; idle < 50; ++idle) {
      run(turn_time);
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

  std::vector<std::uint64_t> lost;
  std::vector<std::string> reasons;
  std::vector<std::string> troubles;

private:
  static constexpr std::chrono::milliseconds turn_time{50};

  std::vector<std::uint64_t> send_from(amqp::outgoing_queue& from) {
    std::vector<amqp::outgoing> out;
    from.take(1'000, out);
    std::vector<std::uint64_t> result;
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
    item.ends_stored = true;
    return accepted(spill_->push(to, std::move(item)));
  }

  sim::disk_process process_;
  std::chrono::steady_clock::time_point now_{std::chrono::hours{1}};
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
  std::optional<bridge::spill> spill_;
  std::shared_ptr<bridge::spill_lane> lane_;
  std::shared_ptr<bridge::spill_lane> aside_;
};

} // namespace rookery::testing
