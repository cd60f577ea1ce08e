#pragma once

#include "broker/core/entry.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>

namespace rookery::broker {

/// The messages of a queue that wait for a consumer. What came back goes first,
/// in the order of its return. Of the others those with a priority above 4 go
/// first, but after two messages one of the normal ones has its turn; within
/// each of the two the order is that of arrival.
/// @source rabbit_fifo.erl, take_next_msg, and rabbit_fifo_q.erl of RabbitMQ
///   4.0.5
class ready_messages {
public:
  /// Appends a message that nobody was given; its position must exceed all
  /// before.
  void push(entry fresh);
  /// Appends one that came back, likewise, as a normal one.
  void requeue(entry returned);
  /// Puts one that came back before all that were never delivered.
  void put_back(entry returned);
  /// The next to go. Only when not empty.
  [[nodiscard]] const entry& front() const;
  /// Takes it. Only when not empty.
  [[nodiscard]] entry pop();

  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const {
    return returned_.size() + high_.size() + normal_.size();
  }
  /// Bytes of all messages, without overhead.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
  using line = std::deque<entry>;

  void append(line& to, entry last);
  /// Whether the next that never came back is one of high priority.
  [[nodiscard]] bool high_is_next() const;

  line returned_;
  line high_;
  line normal_;
  /// Messages taken from `high_` or `normal_` since one had the third turn.
  std::uint8_t turn_ = 0;
  std::uint64_t bytes_ = 0;
};

} // namespace rookery::broker
