#pragma once

#include "broker/core/death.hpp"
#include "broker/core/event.hpp"
#include "broker/core/outcome.hpp"
#include "broker/core/queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace rookery::broker::tests {

/// What a queue must do, written for plainness alone: everything is searched
/// for afresh after every command, nothing is kept that follows from the rest.
class queue_model {
public:
  struct message {
    std::uint64_t number;
    std::size_t bytes;
    bool high = false;
    std::optional<std::chrono::milliseconds> ttl = std::nullopt;
    std::uint32_t delivery_count = 0;
    std::uint32_t returned_count = 0;
    std::uint64_t arrival = 0; // given by the queue, rising
    time_point expires = never;
  };
  struct letter {
    message was;
    death_reason why;
  };
  struct reader {
    consumer_options options;
    std::uint32_t credit = 0;
    bool paused = false;
    std::vector<message> held; // in the order they were delivered
  };
  /// The event that must come next.
  struct expected {
    event::kind what;
    int to;
    std::optional<message> delivered;
    std::uint32_t credit;
  };

  explicit queue_model(const queue_options& options) : options_{options} {}

  bool push(message fresh) {
    expire();
    mind_limits();
    if (refusing_)
      return false;
    fresh.arrival = ++arrivals_;
    for (const auto& each : {options_.message_ttl, fresh.ttl})
      if (each)
        fresh.expires = std::min(
            fresh.expires, now + std::max(*each, std::chrono::milliseconds{1}));
    (fresh.high ? high_ : normal_).push_back(fresh);
    settle_down();
    return true;
  }

  void attach(int name, const consumer_options& options) {
    readers[name].options = options;
    order_.push_back(name);
    settle_down();
  }

  void detach(int name, bool failed) {
    for (const auto& each : readers[name].held)
      take_back(each, failed ? outcome::failed : outcome::modified);
    readers.erase(name);
    std::erase(order_, name);
    std::erase(line_, name);
    std::erase(draining_, name);
    if (active_ == name) {
      active_.reset();
      elected_ = false;
    }
    settle_down();
  }

  void set_credit(int name, std::uint32_t credit, bool drain) {
    readers[name].credit = credit;
    std::erase(draining_, name);
    if (drain)
      draining_.push_back(name);
    settle_down();
  }

  void set_paused(int name, bool paused) {
    readers[name].paused = paused;
    settle_down();
  }

  void settle(int name, std::uint64_t number, outcome how) {
    auto& held = readers[name].held;
    const auto place =
        std::find_if(held.begin(), held.end(),
                     [&](const auto& x) { return x.number == number; });
    auto each = *place;
    held.erase(place);
    if (how == outcome::accepted)
      ++accepted;
    else if (how == outcome::rejected || how == outcome::undeliverable
             || how == outcome::undeliverable_failed)
      refuse(each, how);
    else
      take_back(each, how);
    settle_down();
  }

  /// The clock rings.
  void pass_time() {
    expire();
    settle_down();
  }

  std::size_t purge() {
    const auto count = ready();
    while (ready() > 0)
      take_next();
    settle_down();
    return count;
  }

  /// What it finds out before it gives anything.
  void look() {
    if (!is_asked_)
      return;
    elected_ = false;
    expire();
    mind_limits();
  }

  std::optional<expected> next() {
    if (ready() > 0 && !line_.empty()) {
      const auto name = *std::max_element(
          line_.begin(), line_.end(), [this](int left, int right) {
            return priority(left) < priority(right); // the first of equals
          });
      return deliver(name);
    }
    for (const auto name : draining_) {
      if (readers[name].paused)
        continue;
      const auto credit = readers[name].credit;
      set_credit(name, 0, false);
      return expected{event::kind::drained, name, std::nullopt, credit};
    }
    is_asked_ = false;
    return std::nullopt;
  }

  [[nodiscard]] std::optional<int> active() const { return active_; }

  [[nodiscard]] std::size_t ready() const {
    return returned_.size() + high_.size() + normal_.size();
  }
  [[nodiscard]] std::uint64_t ready_bytes() const {
    std::uint64_t sum = 0;
    for (const auto* line : {&returned_, &high_, &normal_})
      for (const auto& each : *line)
        sum += each.bytes;
    return sum;
  }
  [[nodiscard]] std::size_t unsettled() const {
    std::size_t sum = 0;
    for (const auto& [name, each] : readers)
      sum += each.held.size();
    return sum;
  }

  /// When the message that is to go next is too old.
  [[nodiscard]] time_point next_due() {
    return ready() == 0 ? never : line_of_next().front().expires;
  }

  time_point now{};
  std::map<int, reader> readers;
  /// How many messages ended in each way.
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t undeliverable = 0;
  std::uint64_t expired = 0;
  std::uint64_t dropped_overflow = 0;
  std::uint64_t dropped_delivery_limit = 0;
  /// Those that died, in that order.
  std::vector<letter> letters;

private:
  [[nodiscard]] int priority(int name) const {
    return readers.at(name).options.priority;
  }

  expected deliver(int name) {
    auto& to = readers[name];
    const auto given = take_next();
    if (to.options.settled)
      ++accepted;
    else
      to.held.push_back(given);
    --to.credit;
    std::erase(line_, name);
    settle_down(); // puts it last, if it has credit left
    return {event::kind::delivery, name, given, 0};
  }

  /// What came back; else two of high priority, then a normal one.
  [[nodiscard]] std::vector<message>& line_of_next() {
    if (!returned_.empty())
      return returned_;
    if (high_.empty())
      return normal_;
    if (normal_.empty() || turn_ != 2
        || high_.front().arrival < normal_.front().arrival)
      return high_;
    return normal_;
  }

  message take_next() {
    auto& line = line_of_next();
    if (&line != &returned_)
      turn_ = turn_ == 2 ? 0 : turn_ + 1;
    const auto first = line.front();
    line.erase(line.begin());
    return first;
  }

  void expire() {
    while (next_due() <= now && ready() > 0)
      bury(take_next(), expired, death_reason::expired);
  }

  void bury(const message& gone, std::uint64_t& count, death_reason why) {
    ++count;
    letters.push_back({gone, why});
  }

  void refuse(message gone, outcome how) {
    if (how != outcome::undeliverable)
      ++gone.delivery_count;
    bury(gone, how == outcome::rejected ? rejected : undeliverable,
         death_reason::rejected);
  }

  /// Whether the queue has something to say.
  [[nodiscard]] bool is_runnable() const {
    return elected_ || (ready() > 0 && !line_.empty())
           || std::any_of(draining_.begin(), draining_.end(), [this](int name) {
                return !readers.at(name).paused;
              });
  }

  void take_back(message each, outcome how) {
    ++each.returned_count;
    if (how == outcome::failed)
      ++each.delivery_count;
    const auto quorum = options_.type == queue_type::quorum;
    const auto limit = options_.delivery_limit.value_or(quorum ? 20 : -1);
    if (limit >= 0 && each.returned_count > limit) {
      bury(each, dropped_delivery_limit, death_reason::delivery_limit);
    } else if (how == outcome::released && quorum && limit < 0) {
      each.arrival = ++arrivals_;
      normal_.push_back(each);
    } else {
      returned_.push_back(each);
    }
  }

  void settle_down() {
    if (single_active())
      elect();
    for (const auto name : order_) {
      const auto in_line = std::find(line_.begin(), line_.end(), name);
      const auto& each = readers[name];
      const auto may = each.credit > 0 && !each.paused && is_served(name);
      if (may && in_line == line_.end())
        line_.push_back(name);
      if (!may && in_line != line_.end())
        line_.erase(in_line);
    }
    mind_limits();
    is_asked_ = is_asked_ || is_runnable();
  }

  [[nodiscard]] bool single_active() const {
    return options_.single_active_consumer.value_or(false);
  }

  /// The best of those who wait: by priority, credit, order of attachment.
  [[nodiscard]] std::optional<int> best_waiting() const {
    std::optional<int> best;
    for (const auto name : order_) {
      if (name == active_)
        continue;
      const auto worth = [this](int each) {
        return std::pair{priority(each), readers.at(each).credit};
      };
      if (!best || worth(name) > worth(*best))
        best = name;
    }
    return best;
  }

  void elect() {
    const auto best = best_waiting();
    if (!active_
        || (best && priority(*best) > priority(*active_)
            && readers[*active_].held.empty()))
      elect(best);
  }

  void elect(std::optional<int> best) {
    if (active_ != best)
      elected_ = best.has_value();
    active_ = best;
  }

  [[nodiscard]] bool is_served(int name) const {
    if (!single_active())
      return true;
    const auto best = best_waiting();
    return name == active_ && !(best && priority(*best) > priority(name));
  }

  [[nodiscard]] std::uint64_t credit() const {
    std::uint64_t sum = 0;
    for (const auto name : line_)
      sum += readers.at(name).credit;
    return sum;
  }

  /// Whether more than this part of a limit waits beyond all credit.
  [[nodiscard]] bool beyond(double part) const {
    const auto most = [part](std::uint64_t limit) {
      return static_cast<std::uint64_t>(static_cast<double>(limit) * part);
    };
    return (options_.length_max
            && ready() > credit() + most(*options_.length_max))
           || (options_.bytes_max && credit() == 0
               && ready_bytes() > most(*options_.bytes_max));
  }

  void mind_limits() {
    if (options_.overflow == overflow_policy::reject_publish) {
      refusing_ = beyond(refusing_ ? 0.8 : 1);
      return;
    }
    while (ready() > 0 && beyond(1))
      bury(take_next(), dropped_overflow, death_reason::maxlen);
  }

  queue_options options_;
  std::vector<message> returned_; // first to go first
  std::vector<message> high_;
  std::vector<message> normal_;
  int turn_ = 0;
  std::uint64_t arrivals_ = 0;
  bool refusing_ = false;
  std::vector<int> order_;
  /// Those who may be served, in the order of their turns.
  std::vector<int> line_;
  std::vector<int> draining_;
  std::optional<int> active_;
  bool elected_ = false; // and was not told so far
  /// It had something to say since it last said that it has nothing.
  bool is_asked_ = false;
};

} // namespace rookery::broker::tests
