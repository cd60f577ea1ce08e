#include "broker/core/ready_messages.hpp"

#include <utility>

namespace rookery::broker {

namespace {

constexpr std::uint8_t priority_normal_max = 4;
/// Messages before each that is not preferred.
constexpr std::uint8_t preferred_turns = 2;

} // namespace

void ready_messages::push(entry fresh) {
  const auto high = fresh.message->priority > priority_normal_max;
  append(high ? high_ : normal_, std::move(fresh));
}

void ready_messages::requeue(entry returned) {
  append(normal_, std::move(returned));
}

void ready_messages::put_back(entry returned) {
  append(returned_, std::move(returned));
}

const entry& ready_messages::front() const {
  if (!returned_.empty())
    return returned_.front();
  return high_is_next() ? high_.front() : normal_.front();
}

entry ready_messages::pop() {
  auto* from = &returned_;
  if (returned_.empty()) {
    from = high_is_next() ? &high_ : &normal_;
    turn_ = turn_ == preferred_turns ? 0 : turn_ + 1;
  }
  auto next = std::move(from->front());
  from->pop_front();
  bytes_ -= next.message->bytes.size();
  return next;
}

void ready_messages::append(line& to, entry last) {
  bytes_ += last.message->bytes.size();
  to.push_back(std::move(last));
}

bool ready_messages::high_is_next() const {
  if (high_.empty())
    return false;
  // A turn of its own is of no use to a normal one that came later anyway.
  return turn_ != preferred_turns || normal_.empty()
         || high_.front().position < normal_.front().position;
}

} // namespace rookery::broker
