#pragma once

#include "bridge/amqp/link.hpp"
#include "bridge/core/receive_window.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace rookery::amqp {

/// One queue that a client consumes: its window and, while there is one, its
/// link. Outlives links: what is unfinished still counts on the next one.
/// @thread the engine's
class client_receiver {
public:
  client_receiver(std::size_t index, std::string queue, std::uint32_t window,
                  std::optional<std::int32_t> priority)
      : index_{index},
        queue_{std::move(queue)},
        priority_{priority},
        window_{window} {}

  void link_up(link x) {
    link_ = x;
    if (closed_ || paused_)
      return;
    if (auto n = window_.fill(); n > 0)
      link_.add_credit(n);
  }
  void link_lost() {
    link_ = {};
    window_.on_link_lost();
  }
  /// Whether the broker may send one more; one that does not care about
  /// credit is at fault.
  [[nodiscard]] bool has_credit() const { return window_.credit() > 0; }
  void delivered() { window_.on_delivery(); }
  void finished() { window_.on_finished(); }

  /// Grants what the window has room for.
  void top_up() {
    if (!link_ || closed_ || paused_)
      return;
    if (auto n = window_.top_up(); n > 0)
      link_.add_credit(n);
  }
  /// Brings an idle link back to its full window.
  void refill_idle() {
    if (!link_ || closed_ || paused_ || window_.unfinished() > 0)
      return;
    if (auto n = window_.fill(); n > 0)
      link_.add_credit(n);
  }
  /// Asks for no more deliveries, and for the credit back. Those that are on
  /// their way still come; `quiet` tells when none is. Detaching first would
  /// make the broker hand out again what is being worked on here.
  void pause() {
    paused_ = true;
    if (link_)
      link_.drain(0);
  }
  [[nodiscard]] bool quiet() const {
    return !link_ || (paused_ && link_.credit() == 0);
  }
  /// Takes no more deliveries: detaches now and does not come back.
  void close() {
    closed_ = true;
    if (link_)
      link_.close();
  }

  [[nodiscard]] bool attached() const { return static_cast<bool>(link_); }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] std::uint32_t unfinished() const {
    return window_.unfinished();
  }
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const std::string& queue() const { return queue_; }
  [[nodiscard]] std::optional<std::int32_t> priority() const {
    return priority_;
  }

private:
  std::size_t index_;
  std::string queue_;
  std::optional<std::int32_t> priority_;
  bridge::receive_window window_;
  link link_;
  bool paused_ = false; // pause() was called
  bool closed_ = false; // close() was called
};

} // namespace rookery::amqp
