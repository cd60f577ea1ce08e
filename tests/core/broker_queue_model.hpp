#pragma once

#include "broker/core/event.hpp"
#include "broker/core/outcome.hpp"
#include "broker/core/queue.hpp"

#include <algorithm>
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
    std::uint32_t delivery_count = 0;
    std::uint32_t returned_count = 0;
  };
  struct reader {
    consumer_options options;
    std::uint32_t credit = 0;
    bool paused = false;
    std::map<std::uint64_t, message> held;
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
    if (options_.overflow == overflow_policy::reject_publish) {
      const auto after = ready_.size() + 1;
      if (options_.length_max && after > credit() + *options_.length_max)
        return false;
      if (options_.bytes_max && credit() == 0
          && ready_bytes() + fresh.bytes > *options_.bytes_max)
        return false;
    }
    ready_.emplace(fresh.number, fresh);
    settle_down();
    return true;
  }

  void attach(int name, const consumer_options& options) {
    readers[name].options = options;
    order_.push_back(name);
    settle_down();
  }

  void detach(int name, bool failed) {
    for (const auto& [number, each] : readers[name].held)
      take_back(each, failed);
    readers.erase(name);
    std::erase(order_, name);
    std::erase(line_, name);
    std::erase(draining_, name);
    if (active_ == name)
      active_.reset();
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
    const auto each = readers[name].held.extract(number).mapped();
    if (how == outcome::released || how == outcome::failed)
      take_back(each, how == outcome::failed);
    else
      ++finished[how];
    settle_down();
  }

  std::size_t purge() {
    const auto count = ready_.size();
    ready_.clear();
    return count;
  }

  std::optional<expected> next() {
    if (!ready_.empty() && !line_.empty()) {
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
    return std::nullopt;
  }

  [[nodiscard]] std::size_t ready() const { return ready_.size(); }
  [[nodiscard]] std::uint64_t ready_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [number, each] : ready_)
      sum += each.bytes;
    return sum;
  }
  [[nodiscard]] std::size_t unsettled() const {
    std::size_t sum = 0;
    for (const auto& [name, each] : readers)
      sum += each.held.size();
    return sum;
  }

  std::map<int, reader> readers;
  /// How many messages ended in each way.
  std::map<outcome, std::uint64_t> finished;
  std::uint64_t dropped_overflow = 0;
  std::uint64_t dropped_delivery_limit = 0;

private:
  [[nodiscard]] int priority(int name) const {
    return readers.at(name).options.priority;
  }

  expected deliver(int name) {
    auto& to = readers[name];
    const auto oldest = ready_.extract(ready_.begin()).mapped();
    if (to.options.settled)
      ++finished[outcome::accepted];
    else
      to.held.emplace(oldest.number, oldest);
    --to.credit;
    std::erase(line_, name);
    settle_down(); // puts it last, if it has credit left
    return {event::kind::delivery, name, oldest, 0};
  }

  void take_back(message each, bool failed) {
    ++each.returned_count;
    if (failed)
      ++each.delivery_count;
    if (options_.delivery_limit >= 0
        && each.returned_count > options_.delivery_limit)
      ++dropped_delivery_limit;
    else
      ready_.emplace(each.number, each);
  }

  void settle_down() {
    if (options_.single_active_consumer)
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
    drop_excess();
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
      active_ = best;
  }

  [[nodiscard]] bool is_served(int name) const {
    if (!options_.single_active_consumer)
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

  void drop_excess() {
    if (options_.overflow != overflow_policy::drop_head)
      return;
    while (!ready_.empty()
           && ((options_.length_max
                && ready_.size() > credit() + *options_.length_max)
               || (options_.bytes_max && credit() == 0
                   && ready_bytes() > *options_.bytes_max))) {
      ready_.erase(ready_.begin());
      ++dropped_overflow;
    }
  }

  queue_options options_;
  /// By number, which is the order of publishing.
  std::map<std::uint64_t, message> ready_;
  std::vector<int> order_;
  /// Those who may be served, in the order of their turns.
  std::vector<int> line_;
  std::vector<int> draining_;
  std::optional<int> active_;
};

} // namespace rookery::broker::tests
