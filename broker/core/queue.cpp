#include "broker/core/queue.hpp"

#include <algorithm>
#include <utility>

namespace rookery::broker {

namespace {

// Messages that expire at once; then others have their turn.
constexpr std::size_t expiries_max = 1'024;

/// The part of a limit below which a full queue takes messages again.
constexpr std::uint64_t take_again(std::uint64_t limit) {
  return limit / 5 * 4 + limit % 5 * 4 / 5;
}

} // namespace

std::string_view to_string(push_outcome how) {
  switch (how) {
  case push_outcome::accepted:
    return {};
  case push_outcome::length_reached:
    return "the queue has reached its x-max-length";
  case push_outcome::bytes_reached:
    return "the queue has reached its x-max-length-bytes";
  case push_outcome::queue_full:
    return "the queue holds as many bytes as this broker allows a queue";
  case push_outcome::host_full:
    return "the queues hold as many bytes as this broker allows together";
  }
  return "refused";
}

queue::queue(std::string name, const queue_options& options,
             connection_id owner, const queue_environment& environment)
    : name_{std::move(name)},
      options_{options},
      owner_{owner},
      environment_{environment},
      delivery_limit_{broker::delivery_limit(options)},
      group_{options.single_active_consumer.value_or(false)} {
  if (options_.dead_letter_exchange)
    policy_ = std::make_shared<const dead_letter_policy>(dead_letter_policy{
        name_, *options_.dead_letter_exchange, options_.dead_letter_key});
  start_unused();
}

queue::~queue() {
  run_list::remove(*this);
  environment_.due.move(due_, never, *this);
  for (const auto& each : group_.all()) {
    each->queue_ = nullptr;
    each->unsettled_.take_all([](entry) {}); // they are no longer accounted for
  }
  environment_.budget.give_back(counts_.held_cost);
}

push_outcome queue::push(const message_ptr& message) {
  if (!ready_.empty() && ready_.front().expires_at != never)
    expire_heads(environment_.time.now());
  return take(message, fits(*message) ? refusal_ : push_outcome::queue_full);
}

push_outcome queue::push_letter(const message_ptr& message) {
  return take(message, fits(*message) ? push_outcome::accepted
                                      : push_outcome::queue_full);
}

push_outcome queue::take(const message_ptr& message, push_outcome how) {
  const auto cost = cost_of(*message);
  if (how == push_outcome::accepted && !environment_.budget.take(cost))
    how = push_outcome::host_full;
  if (how != push_outcome::accepted) {
    ++counts_.refused;
    return how;
  }
  ++counts_.published;
  counts_.held_cost += cost;
  ready_.push({message, position_next_++, message->delivery_count, 0,
               expiry_of(*message)});
  settle_down();
  return how;
}

bool queue::fits(const message& fresh) const {
  return counts_.held_cost + cost_of(fresh) <= environment_.bytes_max;
}

std::size_t queue::purge() {
  const auto count = ready_.size();
  while (!ready_.empty())
    give_up(ready_.pop(), counts_.purged);
  settle_down();
  return count;
}

void queue::attach(consumer_ptr joined) {
  joined->queue_ = this;
  group_.attach(std::move(joined));
  settle_down();
}

std::size_t queue::detach(consumer& left, detach_reason why) {
  const auto count = left.unsettled_count();
  std::vector<entry> held;
  held.reserve(count);
  left.unsettled_.take_all(
      [&](entry each) { held.push_back(std::move(each)); });
  std::sort(held.begin(), held.end(), [](const entry& a, const entry& b) {
    return a.position < b.position;
  });
  for (auto& each : held) {
    --counts_.unsettled;
    ++counts_.abandoned;
    take_back(std::move(each), why == detach_reason::failed
                                   ? outcome::failed
                                   : outcome::modified);
  }
  stop_draining(left);
  left.queue_ = nullptr;
  group_.detach(left);
  start_unused();
  settle_down();
  return count;
}

void queue::set_credit(consumer& whose, std::uint32_t credit, bool drain) {
  group_.set_credit(whose, credit);
  stop_draining(whose);
  if (drain) {
    whose.draining_ = true;
    draining_.push_back(&whose);
  }
  settle_down();
}

void queue::set_paused(consumer& whose, bool paused) {
  group_.set_paused(whose, paused);
  settle_down();
}

bool queue::settle(consumer& whose, delivery_id id, outcome how,
                   notes_ptr notes) {
  entry held;
  if (!whose.unsettled_.take(id, held))
    return false;
  --counts_.unsettled;
  switch (how) {
  case outcome::accepted:
    give_up(held, counts_.accepted);
    break;
  case outcome::rejected:
    ++held.delivery_count;
    bury(held, counts_.rejected, death_reason::rejected);
    break;
  case outcome::undeliverable_failed:
    ++held.delivery_count;
    [[fallthrough]];
  case outcome::undeliverable:
    bury(held, counts_.undeliverable, death_reason::rejected, std::move(notes));
    break;
  case outcome::released:
  case outcome::modified:
    ++counts_.released;
    take_back(std::move(held), how);
    break;
  case outcome::failed:
    ++counts_.failed;
    take_back(std::move(held), how);
    break;
  }
  group_.relieved(whose);
  settle_down();
  return true;
}

void queue::start_unused() {
  if (!options_.expires)
    return;
  unused_since_ = environment_.time.now();
  mind_time();
}

bool queue::pass_time(time_point now) {
  expire_heads(now);
  const auto unused = options_.expires && group_.all().empty()
                      && unused_since_ + *options_.expires <= now;
  settle_down();
  return unused;
}

bool queue::next(event& into) {
  if (auto* const chosen = group_.take_elected()) {
    into = event{.what = event::kind::activated, .to = chosen};
    return true;
  }
  if (!ready_.empty() && ready_.front().expires_at != never) {
    const auto now = environment_.time.now();
    expire_heads(now);
    if (!ready_.empty() && ready_.front().expires_at <= now)
      return false; // there are more of them than one turn takes
  }
  if (!ready_.empty()) {
    if (auto* const to = group_.next()) {
      deliver(*to, into);
      return true;
    }
  }
  return next_drained(into);
}

bool queue::runnable() const {
  return group_.elected() || (!ready_.empty() && group_.credit() > 0)
         || std::any_of(draining_.begin(), draining_.end(),
                        [](const auto* each) { return !each->paused_; });
}

void queue::deliver(consumer& to, event& into) {
  auto held = ready_.pop();
  held.position = ++counts_.delivered;
  if (held.returned_count > 0)
    ++counts_.redelivered;
  into.what = event::kind::delivery;
  into.to = &to;
  into.message = held.message;
  into.id = 0;
  into.delivery_count = held.delivery_count;
  into.returned_count = held.returned_count;
  into.first_acquirer = held.returned_count == 0 && !held.message->history;
  into.credit = 0;
  if (to.options_.settled) {
    give_up(held, counts_.accepted);
  } else {
    into.id = to.unsettled_.put(std::move(held));
    ++counts_.unsettled;
  }
  group_.served(to);
  if (group_.credit() == 0)
    mind_limits(); // from now on that of bytes counts
  mind_time();
}

/// Reached only when nobody can be served: whoever drains has had his share.
bool queue::next_drained(event& into) {
  const auto first =
      std::find_if(draining_.begin(), draining_.end(),
                   [](const auto* each) { return !each->paused_; });
  if (first == draining_.end())
    return false;
  auto& to = **first;
  into = event{};
  into.what = event::kind::drained;
  into.to = &to;
  into.credit = to.credit_;
  stop_draining(to);
  group_.set_credit(to, 0);
  return true;
}

void queue::stop_draining(consumer& whose) {
  if (!whose.draining_)
    return;
  whose.draining_ = false;
  std::erase(draining_, &whose);
}

void queue::take_back(entry returned, outcome how) {
  ++returned.returned_count;
  if (how == outcome::failed)
    ++returned.delivery_count;
  if (delivery_limit_ && returned.returned_count > *delivery_limit_)
    return bury(returned, counts_.dropped_delivery_limit,
                death_reason::delivery_limit);
  const auto last = how == outcome::released && !delivery_limit_
                    && options_.type == queue_type::quorum;
  if (!last)
    return ready_.put_back(std::move(returned));
  returned.position = position_next_++;
  ready_.requeue(std::move(returned));
}

void queue::give_up(const entry& gone, std::uint64_t& counter) {
  ++counter;
  const auto cost = cost_of(*gone.message);
  counts_.held_cost -= cost;
  environment_.budget.give_back(cost);
}

void queue::bury(const entry& gone, std::uint64_t& counter, death_reason why,
                 notes_ptr notes) {
  if (!policy_)
    return give_up(gone, counter);
  ++counter;
  counts_.held_cost -= cost_of(*gone.message); // of the queue, not of the host
  environment_.dead.push_back(
      {gone.message, gone.delivery_count, why, policy_, std::move(notes)});
}

time_point queue::expiry_of(const message& fresh) const {
  auto ttl = options_.message_ttl;
  if (fresh.ttl && (!ttl || *fresh.ttl < *ttl))
    ttl = fresh.ttl;
  if (!ttl)
    return never;
  return environment_.time.now() + std::max(*ttl, std::chrono::milliseconds{1});
}

void queue::expire_heads(time_point now) {
  for (std::size_t count = 0; count < expiries_max && !ready_.empty()
                              && ready_.front().expires_at <= now;
       ++count)
    bury(ready_.pop(), counts_.expired, death_reason::expired);
  mind_limits(); // they take nobody's place any more
}

void queue::settle_down() {
  mind_limits();
  wake();
  mind_time();
}

void queue::mind_time() {
  auto next = ready_.empty() ? never : ready_.front().expires_at;
  if (options_.expires && group_.all().empty())
    next = std::min(next, unused_since_ + *options_.expires);
  environment_.due.move(due_, next, *this);
}

void queue::mind_limits() {
  if (!options_.length_max && !options_.bytes_max)
    return;
  if (options_.overflow != overflow_policy::reject_publish) {
    while (!ready_.empty() && over_limit() != push_outcome::accepted)
      bury(ready_.pop(), counts_.dropped_overflow, death_reason::maxlen);
    return;
  }
  if (const auto over = over_limit(); over != push_outcome::accepted)
    refusal_ = over;
  else if (far_below_limits())
    refusal_ = push_outcome::accepted;
}

push_outcome queue::over_limit() const {
  if (options_.length_max && excess() > *options_.length_max)
    return push_outcome::length_reached;
  if (options_.bytes_max && group_.credit() == 0
      && ready_.bytes() > *options_.bytes_max)
    return push_outcome::bytes_reached;
  return push_outcome::accepted;
}

bool queue::far_below_limits() const {
  return (!options_.length_max || excess() <= take_again(*options_.length_max))
         && (!options_.bytes_max || group_.credit() > 0
             || ready_.bytes() <= take_again(*options_.bytes_max));
}

std::uint64_t queue::excess() const {
  const auto credit = group_.credit();
  return ready_.size() > credit ? ready_.size() - credit : 0;
}

void queue::wake() {
  if (run_next == nullptr && runnable())
    environment_.runnable.add(*this);
}

queue_counts queue::counts() const {
  auto all = counts_;
  all.ready = ready_.size();
  all.ready_bytes = ready_.bytes();
  all.consumers = group_.all().size();
  return all;
}

} // namespace rookery::broker
