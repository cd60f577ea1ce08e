#pragma once

#include "broker/core/death.hpp"
#include "broker/core/message.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace rookery::broker {

/// Where a queue's dead letters go.
struct dead_letter_policy {
  std::string queue; // whose they are
  std::string exchange;
  /// `x-dead-letter-routing-key`; without it a message keeps its own.
  std::optional<std::string> key;
};

/// A message that a queue gave up, on its way to the queue's dead-letter
/// exchange.
struct dead_letter {
  message_ptr message;
  std::uint32_t delivery_count; // when it died
  death_reason why;
  std::shared_ptr<const dead_letter_policy> policy;
  /// Of the consumer that gave it up; null = nothing.
  notes_ptr notes = nullptr;
};

/// Those that wait to be published. Each still counts against the budget of the
/// virtual host, as it did in its queue, so they need no limit of their own.
using dead_letters = std::deque<dead_letter>;

/// The message that is published in place of `x`: as it was, without its time
/// to live, with one death more, with the failed deliveries so far, and with
/// the notes of whoever gave it up.
[[nodiscard]] message_ptr
make_letter(const dead_letter& x, std::chrono::system_clock::time_point now);

} // namespace rookery::broker
