#pragma once

#include "broker/core/consumer.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rookery::broker {

/// The consumers of one queue, and whose turn it is.
///
/// Competing consumers: the highest priority that has credit is served, round
/// robin among equals. Single active consumer: only the active one is served.
/// It is elected by priority, then credit, then order of attachment, and stays
/// until it goes or one of a higher priority is there. Then it is *quiescing*:
/// it gets nothing more, and the moment it holds nothing the higher one
/// becomes active, at once if it holds nothing already. So two of them never
/// work on messages of one queue at the same time, and order holds across the
/// move. A quiescing one that is detached hands what it holds to the new one.
/// @source rabbit_fifo.erl of RabbitMQ 4.0.5, activate_next_consumer.
class consumer_group {
public:
  explicit consumer_group(bool single_active) : single_active_{single_active} {}

  void attach(consumer_ptr joined);
  /// Takes it out and elects anew. `left` may be gone afterwards.
  void detach(consumer& left);
  void set_credit(consumer& whose, std::uint32_t credit);
  void set_paused(consumer& whose, bool paused);
  /// `whose` = `next()` was given one message.
  void served(consumer& whose);
  /// `whose` holds a message less.
  void relieved(consumer& whose);

  /// Who gets the next message, or null.
  [[nodiscard]] consumer* next() const;
  /// How many messages could be delivered now: the usable credit of all.
  [[nodiscard]] std::uint64_t credit() const { return credit_; }
  /// The single active consumer, quiescing or not; null without one.
  [[nodiscard]] const consumer* active() const { return active_; }
  /// Whether `active` is another than the one `take_elected` gave last.
  [[nodiscard]] bool elected() const { return elected_; }
  /// The active consumer, once after it became that; else null.
  consumer* take_elected() {
    return std::exchange(elected_, false) ? active_ : nullptr;
  }
  /// Whether one of them is that connection's.
  [[nodiscard]] bool any_of(connection_id whose) const {
    return connections_.contains(whose);
  }
  /// In order of attachment.
  [[nodiscard]] const std::vector<consumer_ptr>& all() const { return all_; }

private:
  void elect();
  void refresh(consumer& whose);

  bool single_active_;
  std::vector<consumer_ptr> all_;
  std::unordered_map<connection_id, std::size_t> connections_; // of all
  service_list service_;
  /// The sum of all `usable_`.
  std::uint64_t credit_ = 0;
  consumer* active_ = nullptr;
  bool quiescing_ = false;
  bool elected_ = false; // and nobody was told of it
};

} // namespace rookery::broker
