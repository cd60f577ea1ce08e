#include "broker/core/ready_messages.hpp"

#include <utility>

namespace rookery::broker {

void ready_messages::push(entry fresh) {
  bytes_ += fresh.message->bytes.size();
  fresh_.push_back(std::move(fresh));
}

void ready_messages::put_back(entry returned) {
  bytes_ += returned.message->bytes.size();
  const auto position = returned.position;
  returned_.emplace(position, std::move(returned));
}

entry ready_messages::pop() {
  entry oldest;
  if (!returned_.empty()) {
    oldest = std::move(returned_.begin()->second);
    returned_.erase(returned_.begin());
  } else {
    oldest = std::move(fresh_.front());
    fresh_.pop_front();
  }
  bytes_ -= oldest.message->bytes.size();
  return oldest;
}

} // namespace rookery::broker
