#include "broker/core/dead_letters.hpp"

#include <utility>

namespace rookery::broker {

message_ptr make_letter(const dead_letter& x,
                        std::chrono::system_clock::time_point now) {
  auto made = std::make_shared<message>(*x.message);
  made->ttl = std::nullopt;
  made->delivery_count = x.delivery_count;
  made->notes = merged(x.notes, x.message->notes);
  auto history = x.message->history
                     ? std::make_shared<death_history>(*x.message->history)
                     : std::make_shared<death_history>();
  const auto& before = x.message->published_to;
  auto came_by = before ? *before : publication{"", x.policy->queue};
  auto key = x.policy->key.value_or(came_by.key);
  history->record({.queue = x.policy->queue,
                   .reason = x.why,
                   .first_time = now,
                   .last_time = now,
                   .published_to = std::move(came_by),
                   .ttl = x.message->ttl});
  made->history = std::move(history);
  made->published_to = std::make_shared<const publication>(
      publication{x.policy->exchange, std::move(key)});
  return made;
}

} // namespace rookery::broker
