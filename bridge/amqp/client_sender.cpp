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
  again_.clear();
  window_.for_each_unsettled(
      [this](std::uint64_t number, const outgoing& item) {
        again_.emplace_back(number, &item);
      });
}

void client_sender::link_lost() {
  link_ = {};
  again_.clear();
  state = state_type::down;
}

std::optional<outgoing> client_sender::settle(std::uint64_t number) {
  if (!again_.empty() && number >= again_.front().first)
    return std::nullopt; // not sent on this link yet
  auto result = window_.settle(number);
  if (result)
    unsettled_bytes_ -= result->bytes.size();
  return result;
}

void client_sender::resend(clock::time_point now, progress& done,
                           std::size_t bytes_max) {
  while (!again_.empty() && link_.credit() > 0 && !done.more) {
    auto [number, item] = again_.front();
    again_.pop_front();
    auto why = obstacle(*item, now);
    if (!why) {
      window_.restart_deadline(number, now + limits_.outcome_timeout);
      transmit(number, *item, now);
      done.bytes += item->bytes.size();
      done.more = done.bytes >= bytes_max;
    } else if (auto taken = settle(number)) {
      if (*why == unsent::reason_type::expired)
        why = unsent::reason_type::expired_without_outcome;
      unsent_.push_back({std::move(*taken), *why});
    }
  }
}

client_sender::progress client_sender::pump(clock::time_point now,
                                            std::size_t bytes_max) {
  progress done;
  if (!link_)
    return done;
  resend(now, done, bytes_max);
  while (again_.empty() && !done.more
         && unsettled_bytes_ < limits_.in_flight_bytes_max) {
    const auto n =
        std::min({std::size_t{link_.credit()}, window_.room(), batch_max});
    if (n == 0)
      break;
    batch_.clear();
    const auto left = queue_->take(n, bytes_max - done.bytes, batch_);
    for (auto& item : batch_) {
      if (auto why = obstacle(item, now)) {
        unsent_.push_back({std::move(item), *why});
        continue;
      }
      ++done.messages;
      done.bytes += item.bytes.size();
      if (item.presettled) {
        transmit(presettled_bit | ++presettled_, item, now);
        continue;
      }
      unsettled_bytes_ += item.bytes.size();
      auto number =
          window_.push(std::move(item), now + limits_.outcome_timeout);
      transmit(number, window_.newest(), now);
    }
    if (left == 0)
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

void client_sender::transmit(std::uint64_t number, const outgoing& item,
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
  if (!link_) // else the outcome of what was sent may still come
    expire_sent(now);
}

void client_sender::expire_sent(clock::time_point now) {
  std::vector<std::uint64_t> numbers;
  window_.for_each_unsettled([&](std::uint64_t number, const outgoing& item) {
    if (item.expires <= now)
      numbers.push_back(number);
  });
  for (auto number : numbers)
    if (auto item = settle(number))
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
    if (auto item = settle(number))
      result.push_back(std::move(*item));
  queue_->take_if([](const outgoing& item) { return item.place == 0; }, result);
  return result;
}

} // namespace rookery::amqp
