#pragma once

#include "broker/core/consumer.hpp"
#include "broker/core/errc.hpp"
#include "broker/core/event.hpp"
#include "broker/endpoint.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::broker {

/// A link on which a client consumes from a queue.
///
/// A message goes out behind a header of ours, which says who had it before;
/// from there on as the very bytes that came in. One that was given out before
/// or died gets annotations that tell so. Outcomes: accepted and rejected
/// finish it, released returns it, modified returns it or, undeliverable here,
/// finishes it. A delivery settled without an outcome ends the session, as in
/// RabbitMQ.
class consumer_link : public endpoint {
public:
  /// `bytes_max`: the largest message the client takes; 0 = any.
  consumer_link(connection& owner, amqp::link self, bool presettled,
                std::uint64_t bytes_max);

  /// Starts to consume. @returns why not.
  [[nodiscard]] std::optional<failure> consume(std::string_view queue,
                                               std::int32_t priority);

  /// Does what the queue says.
  void give(const event& what);
  /// The queue was deleted: ends the link.
  void cancel(std::string_view queue);

  void on_credit() override;
  void on_outcome(std::uint64_t number, const bridge::outcome& how) override;
  void on_full() override;
  void on_room() override;
  void on_closed(detach_reason why) override;

private:
  void send(const event& what);
  // Tells the client that the queue had nothing for the rest of its credit.
  void give_back();
  void end_held_drain();
  void refresh_pause();

  bool presettled_;
  std::uint64_t bytes_max_;
  consumer_ptr source_;
  /// Numbers of pre-settled sends, which nobody answers.
  std::uint64_t presettled_count_ = 0;
  /// Credit to be given back when all messages are written; 0 = none.
  std::uint32_t returned_ = 0;
  bool output_full_ = false;
  bool paused_ = false;
};

} // namespace rookery::broker
