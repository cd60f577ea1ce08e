#pragma once

#include "bridge/amqp/link.hpp"
#include "bridge/core/receive_window.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace rookery::amqp {

/// One queue that a client consumes: its window and, while there is one, its
/// link. Outlives links: what is unfinished still counts on the next one.
/// @thread the engine's
class client_receiver {
public:
  using clock = std::chrono::steady_clock;

  client_receiver(std::size_t index, std::string queue, std::uint32_t window,
                  std::optional<std::int32_t> priority)
      : index_{index},
        queue_{std::move(queue)},
        priority_{priority},
        window_{window} {}

  void link_up(link x) {
    link_ = x;
    attaching_ = false;
    if (closed_)
      return detach();
    if (paused_ || held_)
      return;
    if (auto n = window_.fill(); n > 0)
      link_.add_credit(n);
  }
  void link_lost() {
    link_ = {};
    attaching_ = false;
    detached_ = false;
    window_.on_link_lost();
  }
  /// Whether the broker may send one more; one that does not care about
  /// credit is at fault.
  [[nodiscard]] bool has_credit() const { return window_.credit() > 0; }
  void delivered() { window_.on_delivery(); }
  /// What was delivered last is a pack of so many, each of which `finished` is
  /// called for, and for the pack.
  void unpacked(std::size_t messages) {
    window_.on_unpacked(static_cast<std::uint32_t>(messages));
  }
  void finished() {
    window_.on_finished();
    if (closed_)
      detach();
  }
  /// What came and was not handed to the owner: packs bring more at once than
  /// the window, and what comes behind them waits its turn.
  struct waiting {
    std::uint64_t pack = 0; // 0 = one that came alone
    std::size_t next = 0;   // of the pack
    delivery handle = {};   // alone: empty once its link is gone
    std::string bytes = {}; // alone
    clock::time_point came = {};
  };
  std::deque<waiting> backlog;
  /// Whether one more may be handed to the owner.
  [[nodiscard]] bool may_hand_over() const {
    return !held_ && with_owner_ < window_.window();
  }
  void handed_over() { ++with_owner_; }
  /// The owner is done with one.
  void handed_back() {
    --with_owner_;
    finished();
  }
  /// The attach was sent; the peer must answer it before `by`.
  void attaching(clock::time_point by) {
    attaching_ = true;
    attach_by_ = by;
  }
  [[nodiscard]] bool overdue(clock::time_point now) const {
    return attaching_ && attach_by_ <= now;
  }

  [[nodiscard]] bool is_attaching() const { return attaching_; }

  /// Grants what the window has room for.
  void top_up() {
    if (!link_ || closed_ || paused_ || held_)
      return;
    if (auto n = window_.top_up(); n > 0)
      link_.add_credit(n);
  }
  /// Brings an idle link back to its full window, and grants one that has run
  /// dry what room there is: less than `top_up` grants, while the rest is held.
  void refill() {
    if (!link_ || closed_ || paused_ || held_)
      return;
    std::uint32_t n = 0;
    if (window_.unfinished() == 0)
      n = window_.refill();
    else if (window_.credit() == 0)
      n = window_.fill();
    if (n > 0)
      link_.add_credit(n);
  }
  /// Grants no credit and hands nothing over while `on`; what was granted
  /// stays.
  void hold(bool on) { held_ = on; }
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
  /// Takes no more deliveries: detaches when those it has are settled, and
  /// does not come back.
  void close() {
    if (!paused_)
      pause();
    closed_ = true;
    detach();
  }

  /// The broker refused it when it was asked last: nobody waits for it.
  [[nodiscard]] bool refused() const { return !told.empty(); }
  [[nodiscard]] bool attached() const { return static_cast<bool>(link_); }
  /// There is no link, none is on its way, and there should be one.
  [[nodiscard]] bool wants_link() const {
    return !link_ && !attaching_ && !closed_;
  }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool closed() const { return closed_; }
  /// It was closed, nothing is left of its work, and no link leads to it.
  [[nodiscard]] bool over() const {
    return closed_ && !link_ && !attaching_ && window_.unfinished() == 0;
  }
  [[nodiscard]] std::uint32_t unfinished() const {
    return window_.unfinished();
  }
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const std::string& queue() const { return queue_; }
  [[nodiscard]] std::optional<std::int32_t> priority() const {
    return priority_;
  }

  // Kept by the client.
  bool suspect = false;         // refused, or its session was as it attached
  std::string told;             // of refusals, the last, until it attaches
  clock::time_point retry_at{}; // refused: when to ask again

private:
  // Before the last delivery is settled, the peer would hand it out again.
  void detach() {
    if (!link_ || detached_ || window_.unfinished() > 0)
      return;
    detached_ = true;
    link_.close();
  }

  std::size_t index_;
  std::string queue_;
  std::optional<std::int32_t> priority_;
  bridge::receive_window window_;
  std::uint32_t with_owner_ = 0;
  link link_;
  bool held_ = false;             // hold(true) was called
  bool paused_ = false;           // pause() was called
  bool closed_ = false;           // close() was called
  bool attaching_ = false;        // the attach waits for the peer's half
  bool detached_ = false;         // our detach was sent
  clock::time_point attach_by_{}; // attaching: when the peer must have answered
};

} // namespace rookery::amqp
