#pragma once

#include "broker/core/entry.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

namespace rookery::broker {

/// The messages of a queue that wait for a consumer, oldest first. A message
/// that comes back takes its old place, before every one that never left.
///
/// RabbitMQ's quorum queues line returned messages up in the order of their
/// return; the order here is one of those that clients must expect there, and
/// the better one for those who read in order.
class ready_messages {
public:
  /// Appends a message; its position must exceed all before.
  void push(entry fresh);
  /// Puts a message that `pop` gave out back to its place.
  void put_back(entry returned);
  /// The oldest. Only when not empty.
  [[nodiscard]] const entry& front() const {
    return returned_.empty() ? fresh_.front() : returned_.begin()->second;
  }
  /// Takes the oldest. Only when not empty.
  [[nodiscard]] entry pop();

  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const {
    return fresh_.size() + returned_.size();
  }
  /// Bytes of all messages, without overhead.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
  /// Never delivered; positions rise.
  std::deque<entry> fresh_;
  /// By position, all below those in `fresh_`. A map, because messages come
  /// back rarely and in any order.
  std::map<std::uint64_t, entry> returned_;
  std::uint64_t bytes_ = 0;
};

} // namespace rookery::broker
