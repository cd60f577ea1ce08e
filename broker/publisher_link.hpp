#pragma once

#include "broker/core/message.hpp"
#include "broker/core/route.hpp"
#include "broker/core/virtual_host.hpp"
#include "broker/dispatcher.hpp"
#include "broker/endpoint.hpp"
#include "broker/terminus.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rookery::broker {

/// A link on which a client publishes, to one place or, without a target, to
/// where each message says.
///
/// Outcomes: accepted when every queue has the message; released when it leads
/// to no queue; rejected, with the reason, when a queue refuses it, when it
/// cannot be read, or when its own `to` is malformed or names no exchange.
class publisher_link : public endpoint {
public:
  /// Which of its messages the client said it sends settled.
  enum class settling : std::uint8_t { none, some, all };

  /// `where` is a queue (plain or not), an exchange, or anonymous.
  publisher_link(connection& owner, amqp::link self, const terminus& where,
                 settling says);
  ~publisher_link() override;

  /// Grants credit if there is room now. @returns false when it must wait.
  bool resume();

  /// Detaches it, and destroys this; or, when its connection is going, nothing.
  void end(const amqp::condition& why);

  void on_message(amqp::delivery d, std::string& bytes) override;

private:
  struct verdict {
    bridge::outcome how;
    /// Set when the link cannot go on.
    std::optional<amqp::condition> detach = {};
  };

  [[nodiscard]] verdict publish(std::string& bytes);
  /// Makes `route_` lead to an anonymous message's own target. @returns why not
  [[nodiscard]] std::optional<bridge::outcome> aim(std::string_view to);
  [[nodiscard]] verdict verdict_of(const publish_result& x) const;
  /// The queue that is its target; null when it has another, or none.
  [[nodiscard]] const std::string* queue() const;
  void refuse(const amqp::condition& why);
  void refill();
  /// Whether a full queue, or all of them, do not stop us.
  [[nodiscard]] bool room();

  /// Where a link with a target leads; else where the last message led.
  std::optional<route> route_;
  /// Anonymous only: the `to` that `route_` was made from.
  std::string last_to_;
  /// With a queue as its target: its number with the dispatcher.
  std::uint64_t number_ = 0;
  bool anonymous_;
  settling says_;
  std::uint32_t credit_ = 0;
  /// Its place in the dispatcher's list, while it is there.
  std::optional<dispatcher::stalled_list::iterator> stalled_;
  /// The queue stopped this link and has not fallen below the lower mark.
  bool stopped_ = false;
};

} // namespace rookery::broker
