#include "broker/core/consumer.hpp"

#include "broker/core/queue.hpp"

#include <utility>

namespace rookery::broker {

bool consumer::set_credit(std::uint32_t credit, bool drain) {
  if (queue_ == nullptr)
    return false;
  queue_->set_credit(*this, credit, drain);
  return true;
}

bool consumer::set_paused(bool paused) {
  if (queue_ == nullptr)
    return false;
  queue_->set_paused(*this, paused);
  return true;
}

bool consumer::settle(delivery_id id, outcome how, notes_ptr notes) {
  return queue_ != nullptr && queue_->settle(*this, id, how, std::move(notes));
}

} // namespace rookery::broker
