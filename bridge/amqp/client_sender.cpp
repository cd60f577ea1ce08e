#include "bridge/amqp/client_sender.hpp"

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

bool client_sender::resend(clock::time_point now) {
  while (!again_.empty() && link_.credit() > 0) {
    auto [number, item] = again_.front();
    again_.pop_front();
    window_.restart_deadline(number, now + limits_.outcome_timeout);
    if (fits(*item))
      link_.send(number, item->bytes, {}, false);
    else if (auto taken = settle(number))
      too_long_.push_back(std::move(*taken));
  }
  return again_.empty();
}

std::size_t client_sender::pump(clock::time_point now) {
  if (!link_ || !resend(now))
    return 0;
  std::size_t count = 0;
  while (unsettled_bytes_ < limits_.in_flight_bytes_max) {
    auto n = std::min({std::size_t{link_.credit()}, window_.room(), batch_max});
    if (n == 0)
      break;
    batch_.clear();
    auto left = queue_->take(n, batch_);
    for (auto& item : batch_) {
      if (!fits(item)) {
        too_long_.push_back(std::move(item));
        continue;
      }
      ++count;
      if (item.presettled) {
        link_.send(presettled_bit | ++presettled_, item.bytes, {}, true);
        continue;
      }
      unsettled_bytes_ += item.bytes.size();
      auto number =
          window_.push(std::move(item), now + limits_.outcome_timeout);
      link_.send(number, window_.newest().bytes, {}, false);
    }
    if (left == 0)
      break;
  }
  return count;
}

std::vector<outgoing> client_sender::give_up_all() {
  std::vector<std::uint64_t> numbers;
  window_.for_each_unsettled([&](std::uint64_t number, const outgoing&) {
    numbers.push_back(number);
  });
  std::vector<outgoing> result;
  for (auto number : numbers)
    if (auto item = settle(number))
      result.push_back(std::move(*item));
  queue_->take(queue_->size(), result);
  return result;
}

} // namespace rookery::amqp
