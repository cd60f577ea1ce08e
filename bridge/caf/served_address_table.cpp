// The table of what has not ended. All of it with mutex_ held.
#include "bridge/caf/served_address.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rookery::bridge {

served_address::unfinished& served_address::add(unfinished x) {
  if (free_.empty()) {
    unfinished_.emplace_back();
    attempts_.resize(unfinished_.size());
    free_.reserve(unfinished_.capacity()); // so that it never fails in take()
    free_.push_back(static_cast<std::uint32_t>(unfinished_.size() - 1));
  }
  const auto slot = free_.back();
  slots_[x.delivery] = slot;
  free_.pop_back();
  joined_ += x.place == unfinished::place_type::joined ? 1 : 0;
  return unfinished_[slot] = std::move(x);
}

served_address::unfinished served_address::take(unfinished& x) {
  joined_ -= x.place == unfinished::place_type::joined ? 1 : 0;
  late_ -= x.late ? 1 : 0;
  slots_.erase(x.delivery);
  free_.push_back(slot_of(x));
  return std::exchange(x, {});
}

served_address::unfinished* served_address::find(std::uint64_t delivery) {
  auto found = slots_.find(delivery);
  return found == slots_.end() ? nullptr : &unfinished_[found->second];
}

served_address::unfinished* served_address::find_attempt(std::uint64_t ticket) {
  auto index = static_cast<std::uint32_t>(ticket);
  if (index >= unfinished_.size())
    return nullptr;
  auto& x = unfinished_[index];
  using place = unfinished::place_type;
  const auto present =
      x.delivery != 0 && x.ticket == ticket
      && (x.place == place::mailbox || x.place == place::entering);
  return present ? &x : nullptr;
}

served_address::unfinished served_address::take_begun(unfinished& x) {
  x.expires = clock::time_point::max(); // a handler had it
  return take(x);
}

void served_address::join(unfinished x, clock::time_point now) {
  ++hub_->counters.duplicates;
  x.place = unfinished::place_type::joined;
  for (auto& other : unfinished_)
    if (other.delivery != 0 && other.stream == x.stream && other.seq == x.seq) {
      other.connection = x.connection;
      if (other.late) // else that has a deadline
        x.deadline = now + options_.handler_timeout;
    }
  add(std::move(x));
}

void served_address::wait(unfinished& x, clock::time_point due) {
  x.place = unfinished::place_type::waits;
  x.due = due;
  x.deadline = due + options_.handler_timeout;
  // Mostly the last to come. What is in the list has not ended, but perhaps
  // been taken out; then its place does not matter.
  auto at = waiting_.end();
  while (at != waiting_.begin()) {
    const auto* before = find(*std::prev(at));
    if (before != nullptr && before->arrival < x.arrival)
      break;
    --at;
  }
  waiting_.insert(at, x.delivery);
}

served_address::attempt served_address::enter(unfinished& x,
                                              clock::time_point now) {
  // A number of 28 bits and one of 32: a request's id has 60.
  constexpr std::uint32_t last_attempt = (1U << 28) - 1;
  const auto slot = slot_of(x);
  auto& number = attempts_[slot];
  number = number == last_attempt ? 1 : number + 1;
  x.ticket = (std::uint64_t{number} << 32) | slot;
  x.place = unfinished::place_type::entering;
  x.target = targets_;
  x.entered = ++entries_;
  x.deadline = now + options_.handler_timeout;
  if (options_.settle == settle_when::handled)
    return {x.ticket, x.content};
  x.settled = true;
  if (x.stream) {
    x.stream->finish(x.seq);
    for (auto copy : take_joined(x))
      hub_->settle(copy, outcome::accepted());
  }
  hub_->settle(x.delivery, outcome::accepted(), true);
  return {x.ticket, std::move(x.content)};
}

bool served_address::is_copy(const unfinished& x, const unfinished& of) {
  return x.delivery != 0 && x.place == unfinished::place_type::joined
         && x.stream == of.stream && x.seq == of.seq;
}

bool served_address::has_late(const unfinished& of) const {
  return late_ > 0
         && std::any_of(
             unfinished_.begin(), unfinished_.end(), [&of](const auto& x) {
               return x.late && x.stream == of.stream && x.seq == of.seq;
             });
}

std::vector<std::uint64_t> served_address::take_joined(const unfinished& x,
                                                       bool in_packs_only) {
  std::vector<std::uint64_t> result;
  for (auto& other : unfinished_) {
    if (joined_ == 0)
      break;
    if (!is_copy(other, x) || (in_packs_only && !other.in_pack))
      continue;
    result.push_back(take(other).delivery);
  }
  return result;
}

} // namespace rookery::bridge
