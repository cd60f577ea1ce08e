#pragma once

#include "bridge/address.hpp"
#include "bridge/amqp/link.hpp"
#include "bridge/amqp/outgoing.hpp"
#include "bridge/amqp/pack_rule.hpp"
#include "bridge/amqp/wire/pack.hpp"
#include "bridge/core/send_window.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rookery::amqp {

/// One destination of a client: a queue of messages that other threads fill, a
/// ledger of those without an outcome, and, while there is one, a link. The
/// queue and the ledger outlive links: on a new link what has no outcome is
/// sent again, in order, before anything new.
/// @thread the engine's, but for the queue
class client_sender {
public:
  using clock = std::chrono::steady_clock;

  enum class state_type : std::uint8_t {
    down,     // no connection, nothing to send yet, or not before `retry_at`
    asking,   // does the queue exist?
    missing,  // it does not, or was refused; asked again at `retry_at`
    attaching // or attached, which `attached` tells
  };

  struct limits {
    /// Sends without an outcome.
    std::size_t in_flight_max = 2'048;
    /// Bytes of them; one message may exceed it alone.
    std::size_t in_flight_bytes_max = std::size_t{16} << 20;
    std::chrono::milliseconds outcome_timeout{30'000};
    /// Of a pack, besides what the peer takes: who gets it is one of ours.
    std::size_t message_bytes_max = std::size_t{16} << 20;
  };

  /// `to` empty = the anonymous terminus: each message names its own address.
  client_sender(std::size_t index, std::optional<bridge::address> to,
                std::shared_ptr<outgoing_queue> queue, limits bounds);

  /// What one `pump` handed to the wire.
  struct progress {
    std::size_t messages = 0; // the repeated ones not counted
    std::size_t packed = 0;   // of those: shared a transfer
    std::size_t bytes = 0;
    bool more = false; // it stopped at `bytes_max`
  };
  /// Sends what there is credit and room for, at least one message, and about
  /// `bytes_max` bytes.
  progress pump(clock::time_point now, std::size_t bytes_max);

  /// Takes what expired out of the queue, and of what was sent and has no
  /// outcome what is not under way.
  void expire(clock::time_point now);

  /// What was not sent, or not again.
  struct unsent {
    enum class reason_type : std::uint8_t {
      too_long, // for the peer, on this link
      expired,
      expired_without_outcome // it was sent, on an earlier link
    };
    outgoing item;
    reason_type reason;
  };
  /// Takes out what `pump` and `expire` found.
  [[nodiscard]] std::vector<unsent> take_unsent() {
    return std::exchange(unsent_, {});
  }

  void link_up(link x);
  /// The link is gone: what is unsettled will be sent again on the next one.
  void link_lost();

  /// The outcome of transfer `number`: appends what was in it to `out`, nothing
  /// when it is unknown.
  void settle(std::uint64_t number, std::vector<outgoing>& out);

  /// Whether something in transfer `number` waits in a file while no queue
  /// takes it.
  [[nodiscard]] bool waits_for_takers(std::uint64_t number) const;
  /// Nobody took such a one: this link is to send no more. What else is under
  /// way has an end of its own.
  void not_taken();
  /// That has come.
  [[nodiscard]] bool to_try_later() const {
    return untaken_ && transfers_ == 0;
  }

  /// Takes out everything that waits or has no outcome, oldest first, but what
  /// may go to a file: that waits for better times. Only while there is no
  /// link.
  [[nodiscard]] std::vector<outgoing> give_up_all();

  /// Calls `f(item)` on all that has no outcome.
  template <class F>
  void for_each_sent(F f) {
    window_.for_each_unsettled(
        [&f](std::uint64_t, const outgoing& item) { f(item); });
  }

  /// Nothing that waits for its outcome is written: the peer's session takes no
  /// transfers, whatever credit there is. It owes nothing for them yet.
  void excuse_unwritten(clock::time_point now) {
    if (link_ && transfers_ > 0 && link_.queued() >= transfers_)
      window_.restart_deadlines(now + limits_.outcome_timeout);
  }
  /// An outcome or an attach is overdue: the connection is not to be trusted.
  /// A peer that gives no credit owes nothing.
  [[nodiscard]] bool overdue(clock::time_point now) const {
    if (!attached())
      return state == state_type::attaching && attach_by <= now;
    const auto not_again =
        !again_.empty() && again_.front().first == window_.oldest();
    return !not_again && window_.expired(now);
  }
  /// It was, and that ends the connection. Not for ever, or no other has one:
  /// from the second time in a row on it is left alone first.
  void was_overdue(clock::time_point now);
  /// Until when that is.
  [[nodiscard]] clock::time_point left_alone_until() const {
    return left_alone_until_;
  }
  [[nodiscard]] bool attached() const { return static_cast<bool>(link_); }
  /// Nothing waits and nothing is without an outcome.
  [[nodiscard]] bool idle() const {
    return window_.empty() && queue_->size() == 0;
  }
  [[nodiscard]] bool wants_link() const { return !idle(); }
  [[nodiscard]] std::size_t unfinished() const {
    return window_.unsettled() + queue_->size();
  }

  [[nodiscard]] link current_link() const { return link_; }
  [[nodiscard]] outgoing_queue& queue() { return *queue_; }
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const std::optional<bridge::address>& to() const { return to_; }

  // Kept by the client.
  state_type state = state_type::down;
  condition refusal;             // missing: why, if it is there
  std::string told;              // of refusals, the last, until it is let in
  std::uint32_t refusals = 0;    // in a row, where it is forbidden
  bool suspect = false;          // a session ended while this was attaching
  clock::time_point retry_at{};  // missing, down: when to try again
  clock::time_point attach_by{}; // attaching: when the peer must have answered
  bool outcomes_came = false;    // since the client last looked
  bool returns = false;          // what came in packs, to its queue
  // Nobody has taken anything, perhaps. What may wait in a file then goes one
  // transfer at a time, or those behind it might be taken before it.
  bool careful = false;
  bool in_turn = false; // in the client's list of those to be pumped

private:
  void resend(clock::time_point now, progress& done, std::size_t bytes_max);
  void expire_sent(clock::time_point now);
  // Whether an item is better given to the link later: what that has and
  // cannot write is not taken back, and goes out with the time it had then.
  [[nodiscard]] bool ages(const outgoing& item) const {
    return stuck_ && item.expires != clock::time_point::max();
  }
  // Why an item is not to be sent on this link, if it is not.
  [[nodiscard]] std::optional<unsent::reason_type>
  obstacle(const outgoing& item, clock::time_point now) const;
  // Takes an item out of the ledger.
  [[nodiscard]] std::optional<outgoing> take(std::uint64_t number);
  // Adds to the transfer that is being made, or sends that and begins another.
  void add(std::uint64_t number, const outgoing& item, bool joins,
           clock::time_point now, progress& done);
  // Sends it.
  void transmit(clock::time_point now, progress& done);
  void transmit_alone(std::uint64_t number, const outgoing& item,
                      clock::time_point now);
  [[nodiscard]] pack_rule make_rule() const;
  // Whether one transfer has to end before the next.
  [[nodiscard]] bool one_by_one();
  // Whether what waits is better sent with more, and need not go now.
  [[nodiscard]] bool gathers() const;
  [[nodiscard]] bool fits(const outgoing& item) const {
    return bytes_max_ == 0 || item.bytes.size() <= bytes_max_;
  }

  std::size_t index_;
  std::optional<bridge::address> to_;
  std::shared_ptr<outgoing_queue> queue_;
  bridge::send_window<outgoing> window_;
  limits limits_;
  std::size_t unsettled_bytes_ = 0; // of the items in window_
  link link_;
  std::uint64_t bytes_max_ = 0; // longest message this link takes; 0 = any
  // What is to be sent again on this link, oldest first. The pointers stay
  // good: the ledger keeps an item in place until its outcome, and `settle`
  // takes no outcome for what is still in here.
  std::deque<std::pair<std::uint64_t, const outgoing*>> again_;
  bool stuck_ = false; // it has not written all that an earlier pump gave it
  std::vector<outgoing> batch_; // reused
  // The transfer that is being made, and the number of its first.
  std::vector<const outgoing*> together_;
  std::uint64_t first_ = 0;
  pack_encoder encoder_;
  // Of this link: how many are in each transfer that has several, by the number
  // of its first, and how many transfers have no outcome.
  std::unordered_map<std::uint64_t, std::size_t> shared_;
  std::size_t transfers_ = 0;
  bool untaken_ = false; // not_taken() was called for this link
  bool spills_ = false;  // something went out, or is next, that has a place
  unsigned overdue_in_a_row_ = 0; // times, the oldest had no outcome since
  clock::time_point left_alone_until_{};
  std::vector<unsent> unsent_;
  std::uint64_t presettled_ = 0; // numbers of pre-settled sends
};

} // namespace rookery::amqp
