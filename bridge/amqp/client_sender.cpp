#include "bridge/amqp/client_sender.hpp"

#include "bridge/amqp/wire/header_facts.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/assert.hpp"

#include <algorithm>

namespace rookery::amqp {

namespace {

// Tags of pre-settled sends must not meet those of the ledger.
constexpr std::uint64_t presettled_bit = std::uint64_t{1} << 63;

// Messages taken from the queue at once.
constexpr std::size_t batch_max = 256;

// With so many transfers under way what is no full pack waits until one of them
// has its outcome: what a broker does costs it per transfer.
constexpr std::size_t transfers_enough = 16;

// Of the time for which a destination without outcomes is left alone.
constexpr unsigned doublings_max = 4;

using address_kind = bridge::address::kind_type;

} // namespace

client_sender::client_sender(std::size_t index,
                             std::optional<bridge::address> to,
                             std::shared_ptr<outgoing_queue> queue,
                             limits bounds)
    : index_{index},
      to_{std::move(to)},
      queue_{std::move(queue)},
      window_{bounds.in_flight_max},
      limits_{bounds} {}

void client_sender::link_up(link x) {
  link_ = x;
  bytes_max_ = x.remote_terms().message_bytes_max;
  careful = careful || (to_ && to_->kind() == address_kind::exchange);
  // Not before: what was known of the last link may still come.
  shared_.clear();
  transfers_ = 0;
  again_.clear();
  window_.for_each_unsettled(
      [this](std::uint64_t number, const outgoing& item) {
        again_.emplace_back(number, &item);
      });
}

void client_sender::link_lost() {
  link_ = {};
  again_.clear();
  together_.clear();
  untaken_ = false;
  state = state_type::down;
}

void client_sender::settle(std::uint64_t number, std::vector<outgoing>& out) {
  if (!again_.empty() && number >= again_.front().first)
    return; // not sent on this link yet
  std::size_t count = 1;
  if (auto found = shared_.find(number); found != shared_.end()) {
    count = found->second;
    shared_.erase(found);
  }
  const auto before = out.size();
  if (number == window_.oldest())
    overdue_in_a_row_ = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (auto item = take(number + i))
      out.push_back(std::move(*item));
  if (out.size() > before && transfers_ > 0)
    --transfers_;
}

void client_sender::was_overdue(clock::time_point now) {
  // One link for all answers is no destination: others wait for theirs.
  if (!to_ || ++overdue_in_a_row_ < 2)
    return;
  const auto doubled = std::min(overdue_in_a_row_ - 2, doublings_max);
  left_alone_until_ = now + limits_.outcome_timeout * (1U << doubled);
}

bool client_sender::waits_for_takers(std::uint64_t number) const {
  const auto found = shared_.find(number);
  const auto count = found == shared_.end() ? 1 : found->second;
  for (std::size_t i = 0; link_ && i < count; ++i)
    if (const auto* item = window_.find(number + i); item && item->place != 0)
      return true;
  return false;
}

void client_sender::not_taken() {
  careful = untaken_ = true;
  overdue_in_a_row_ = 0;
  transfers_ -= transfers_ > 0 ? 1 : 0;
}

std::optional<outgoing> client_sender::take(std::uint64_t number) {
  auto result = window_.settle(number);
  if (result)
    unsettled_bytes_ -= result->bytes.size();
  return result;
}

void client_sender::resend(clock::time_point now, progress& done,
                           std::size_t bytes_max) {
  auto rule = make_rule();
  std::uint64_t last = 0;
  while (!again_.empty() && !done.more) {
    auto [number, item] = again_.front();
    if (ages(*item))
      break;
    if (number != last + 1)
      rule.cut(); // a pack has one number after the other
    auto why = obstacle(*item, now);
    const auto joins = !why && rule.joins(*item);
    if (!joins) {
      transmit(now, done);
      if (link_.credit() == 0)
        return;
    }
    again_.pop_front();
    if (!why) {
      last = number;
      window_.restart_deadline(number, now + limits_.outcome_timeout);
      add(number, *item, joins, now, done);
      done.bytes += item->bytes.size();
      done.more = done.bytes >= bytes_max;
      if (one_by_one())
        break;
    } else if (auto taken = take(number)) {
      if (*why == unsent::reason_type::expired)
        why = unsent::reason_type::expired_without_outcome;
      unsent_.push_back({std::move(*taken), *why});
    }
  }
  transmit(now, done);
}

client_sender::progress client_sender::pump(clock::time_point now,
                                            std::size_t bytes_max) {
  progress done;
  if (!link_ || untaken_ || (one_by_one() && transfers_ > 0))
    return done;
  stuck_ = link_.queued() > 0;
  resend(now, done, bytes_max);
  done.packed = 0;
  while (again_.empty() && !(one_by_one() && transfers_ > 0) && !done.more
         && unsettled_bytes_ < limits_.in_flight_bytes_max) {
    const auto n = one_by_one() ? 1 : std::min(window_.room(), batch_max);
    const std::size_t credit = link_.credit();
    if (n == 0 || credit == 0 || gathers())
      break;
    batch_.clear();
    std::size_t transfers = 0;
    const auto wanted = [&, rule = make_rule()](const auto& x) mutable {
      if (ages(x) || (careful && !spills_ && x.place != 0))
        return false; // later, or alone
      return rule.joins(x) || transfers++ < credit;
    };
    const auto left =
        queue_->take_while(n, bytes_max - done.bytes, wanted, batch_);
    auto rule = make_rule();
    for (auto& item : batch_) {
      if (auto why = obstacle(item, now)) {
        unsent_.push_back({std::move(item), *why});
        continue;
      }
      ++done.messages;
      done.bytes += item.bytes.size();
      const auto joins = rule.joins(item);
      if (item.presettled) {
        overdue_in_a_row_ = 0; // it has a link, and of these nothing is said
        add(presettled_bit | ++presettled_, item, joins, now, done);
        continue;
      }
      unsettled_bytes_ += item.bytes.size();
      auto number =
          window_.push(std::move(item), now + limits_.outcome_timeout);
      add(number, window_.newest(), joins, now, done);
    }
    transmit(now, done);
    if (left == 0 || batch_.empty())
      break;
    done.more = done.bytes >= bytes_max;
  }
  return done;
}

std::optional<client_sender::unsent::reason_type>
client_sender::obstacle(const outgoing& item, clock::time_point now) const {
  using reason = unsent::reason_type;
  if (item.expires <= now)
    return reason::expired;
  if (!fits(item))
    return reason::too_long;
  return std::nullopt;
}

pack_rule client_sender::make_rule() const {
  return pack_rule{bytes_max_ == 0 ? limits_.message_bytes_max
                                   : std::min<std::uint64_t>(
                                       bytes_max_, limits_.message_bytes_max)};
}

bool client_sender::one_by_one() {
  if (careful && !spills_)
    spills_ = queue_->oldest_is([](const outgoing& x) { return x.place != 0; });
  return careful && spills_;
}

bool client_sender::gathers() const {
  return transfers_ >= transfers_enough
         && std::min(queue_->size(), window_.room()) < pack_messages_max
         && queue_->bytes() < pack_bytes_max
         && queue_->oldest_is([](const outgoing& x) { return x.packs; });
}

void client_sender::add(std::uint64_t number, const outgoing& item, bool joins,
                        clock::time_point now, progress& done) {
  if (!joins) {
    transmit(now, done);
    first_ = number;
  }
  together_.push_back(&item);
  spills_ = spills_ || item.place != 0;
}

void client_sender::transmit(clock::time_point now, progress& done) {
  // Before anything that throws: they may not stay where they are.
  const auto together = std::exchange(together_, {});
  if (together.empty())
    return;
  const auto& first = *together.front();
  if (together.size() == 1) {
    transmit_alone(first_, first, now);
  } else {
    encoder_.begin(first.pack_to);
    for (const auto* item : together)
      encoder_.add(item->bytes);
    link_.send(first_, encoder_.bytes(), {}, first.presettled);
    done.packed += together.size();
    if (!first.presettled)
      shared_.emplace(first_, together.size());
  }
  transfers_ += first.presettled ? 0 : 1;
}

void client_sender::transmit_alone(std::uint64_t number, const outgoing& item,
                                   clock::time_point now) {
  if (item.expires == clock::time_point::max())
    return link_.send(number, item.bytes, {}, item.presettled);
  // The wait in the queue is part of its time to live.
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(item.expires - now);
  auto facts =
      parse_header_facts(item.bytes, {.message_bytes_max = item.bytes.size()});
  ROOKERY_ASSERT(facts); // we encoded it
  link_.send(number, encode_header(facts->durable, facts->priority, left),
             std::string_view{item.bytes}.substr(facts->header_bytes),
             item.presettled);
}

void client_sender::expire(clock::time_point now) {
  std::vector<outgoing> expired;
  queue_->take_expired(now, expired);
  for (auto& item : expired)
    unsent_.push_back({std::move(item), unsent::reason_type::expired});
  expire_sent(now);
}

// The outcome of what is under way may still come.
void client_sender::expire_sent(clock::time_point now) {
  if (link_ && again_.empty())
    return;
  const auto first = link_ ? again_.front().first : 0;
  std::vector<std::uint64_t> numbers;
  window_.for_each_unsettled([&](std::uint64_t number, const outgoing& item) {
    if (number >= first && item.expires <= now)
      numbers.push_back(number);
  });
  std::erase_if(again_,
                [now](const auto& x) { return x.second->expires <= now; });
  for (auto number : numbers)
    if (auto item = take(number))
      unsent_.push_back(
          {std::move(*item), unsent::reason_type::expired_without_outcome});
}

std::vector<outgoing> client_sender::give_up_all() {
  std::vector<std::uint64_t> numbers;
  window_.for_each_unsettled([&](std::uint64_t number, const outgoing& item) {
    if (item.place == 0)
      numbers.push_back(number);
  });
  std::vector<outgoing> result;
  for (auto number : numbers)
    if (auto item = take(number))
      result.push_back(std::move(*item));
  queue_->take_if([](const outgoing& item) { return item.place == 0; }, result);
  return result;
}

} // namespace rookery::amqp
