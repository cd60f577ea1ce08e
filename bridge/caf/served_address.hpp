#pragma once

#include "bridge/amqp/wire/envelope_view.hpp"
#include "bridge/caf/hub.hpp"
#include "bridge/core/backoff.hpp"
#include "bridge/core/dedupe_table.hpp"
#include "bridge/errc.hpp"

#include <caf/actor.hpp>
#include <caf/actor_proxy.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rookery::bridge {

/// How a delivery came.
struct arrival_type {
  /// It gets one attempt, and no answer that ends it but the handler's: it goes
  /// back to its queue alone, and all else happens there.
  bool in_pack = false;
  /// It was at this node so long, until there was room for it.
  hub::clock::duration waited{0};
};

/// One address that this node serves. Every delivery enters the target as a
/// CAF request whose sender is this actor; so the target's response, whoever
/// gives it, arrives at `enqueue` and ends the delivery.
///
/// A proxy rather than an event-based actor: it needs no mailbox and no turn
/// of the scheduler, which would double the cost of a delivery. Decoding is
/// done on the IO thread for the same reason.
class served_address final : public caf::actor_proxy {
public:
  using clock = std::chrono::steady_clock;
  using factory = std::function<caf::actor()>;

  /// Exactly one of `target` and `make` is set.
  served_address(caf::actor_config& config, std::shared_ptr<hub> home,
                 std::string name, serve_options options, caf::actor target,
                 factory make);

  /// Begins: watches the target, or makes the first.
  void start();
  /// Lets go of the target for good.
  void release();
  /// A delivery came; `delivery` names it for `hub::settle`. @thread proton
  void deliver(std::uint64_t delivery, std::string_view bytes,
               clock::time_point now, arrival_type how = {});
  /// Looks after handlers that take too long and targets that are down.
  /// @returns false when the target is gone for good. @thread proton
  bool check(clock::time_point now);

  /// The connection is over. @thread proton
  void connection_over();
  /// Ends what waits for a target or another attempt, now and from now on, so
  /// that others can have it. @thread proton
  void give_back();

  [[nodiscard]] std::uint32_t window() const { return options_.window; }
  /// How many of its ends may be on their way to the IO thread: one of each
  /// delivery, and one that came early.
  [[nodiscard]] std::size_t settlements_max() const {
    return std::size_t{options_.window} * 2;
  }

  /// A response. @thread any
  using caf::actor_proxy::enqueue;
  void enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* context) override;
  void kill_proxy(caf::execution_unit* context, caf::error reason) override;

private:
  // One delivery that has not ended.
  struct unfinished {
    enum class place_type : std::uint8_t {
      waits,    // for a target, or until `due`
      entering, // the mailbox of the target, which may be closed
      mailbox,  // of the target, or in its hands
      joined    // another delivery of the same message is in one of the above
    };

    std::uint64_t delivery = 0; // 0: the slot is free
    std::uint64_t arrival = 0;  // in which order they came
    place_type place = place_type::waits;
    // The one over which it came; after a redelivery, over which that did. An
    // answer belongs to it: over another, somebody else may answer.
    std::uint64_t connection = 0;
    std::string reply_to; // empty: nobody waits for an answer
    std::string correlation_id;
    id_kind correlation_kind = id_kind::string;
    caf::message content;
    std::shared_ptr<dedupe> stream; // null: its copies cannot be told
    std::uint64_t seq = 0;          // in the stream

    std::uint64_t ticket = 0;   // entering, mailbox: the request's id
    std::uint64_t target = 0;   // entering, mailbox: which of the targets
    std::uint64_t entered = 0;  // mailbox: in which order
    std::uint32_t failures = 0; // of its handlers
    bool settled = false;       // early, when it entered the mailbox
    bool late = false;          // given up, but perhaps in the mailbox yet
    bool in_pack = false;
    clock::time_point due{}; // waits: not before
    clock::time_point deadline = clock::time_point::max();
    clock::time_point expires = clock::time_point::max(); // if none had it
  };
  // An attempt that is about to enter the mailbox.
  struct attempt {
    std::uint64_t ticket;
    caf::message content;
  };

  // In: served_address_intake.cpp.
  void decode(std::uint64_t delivery, std::string_view bytes,
              clock::time_point now, arrival_type how);
  [[nodiscard]] unfinished make_unfinished(std::uint64_t delivery,
                                           const amqp::envelope_view& head);
  // A message of the bridge itself. @returns whether it is one
  bool take_control(std::uint64_t delivery, const amqp::envelope_view& head);
  void take_in(unfinished x, clock::time_point now);
  void hand_over(const caf::actor& target, attempt x);
  // Hands over what waits, is due, and may still be handled.
  void hand_over_due(clock::time_point now);
  [[nodiscard]] bool takes(std::string_view type) const;

  // The target: served_address.cpp.
  void make_target(clock::time_point now);
  // Makes it known to those that watch, or watch it.
  void announce(const caf::actor& target);
  void watch(const caf::actor& target);
  void on_target_down(const caf::error& reason);
  void end_overdue(clock::time_point now);
  // Whether a handler has had it. With mutex_ held.
  [[nodiscard]] bool has_begun(const unfinished& x) const;

  // A failed attempt: served_address_retry.cpp. Each takes one that was taken
  // out of the table.
  void failed(unfinished x, const std::string& why);
  // Its answer is the runtime's: its target ended, or another that it was
  // passed on to.
  void bounced(unfinished x, const std::string& why);
  // It waited for an answer, a target, or for one that is late, too long.
  void timed_out(unfinished x);
  // A late one is in the mailbox no more; its answer if there is one.
  void end_late(unfinished x, const caf::type_erased_tuple* answer = nullptr);
  [[nodiscard]] bool is_last(const unfinished& x) const;
  void park(const unfinished& x, const std::string& why);
  // No attempt follows here.
  void give_up(const unfinished& x);
  // If it came in a pack, it is over here.
  [[nodiscard]] bool goes_back(const unfinished& x);

  // Out: served_address_ends.cpp. The same.
  void finish(unfinished x, const caf::type_erased_tuple& answer);
  void finish_error(unfinished x, const caf::error& error);
  // It waited for a target too long.
  void expire(const unfinished& x);
  // Settles it, and those that joined it. A late one keeps its place.
  void end(const unfinished& x, const outcome& how);
  // Of a message that ended so, what copies of it are to find. With mutex_
  // held.
  void note_end(const unfinished& x, const outcome& how);
  void refuse(std::uint64_t delivery, const amqp::envelope_view& head,
              bool in_pack, errc why, const char* condition,
              const std::string& text);
  // The outcome that a handler asks for by an error of ours.
  [[nodiscard]] std::optional<outcome>
  outcome_by_hand(const unfinished& x, const caf::error& error) const;
  // Nobody here will ever take it, after so many failures.
  [[nodiscard]] outcome parked(const char* condition, std::string_view reason,
                               std::uint32_t failures) const;
  void reply(const unfinished& x, const google::protobuf::Message& body);
  void reply_error(const unfinished& x, const caf::error& error);
  void send_reply(const unfinished& x, std::string bytes);
  [[nodiscard]] envelope reply_head(const unfinished& x);
  // Whether it may be answered, if somebody waits.
  [[nodiscard]] bool may_answer(const unfinished& x) const;

  // The table. Call them with mutex_ held.
  unfinished& add(unfinished x);
  [[nodiscard]] std::uint32_t slot_of(const unfinished& x) const {
    return static_cast<std::uint32_t>(&x - unfinished_.data());
  }
  [[nodiscard]] unfinished* find(std::uint64_t delivery);
  [[nodiscard]] unfinished* find_attempt(std::uint64_t ticket);
  [[nodiscard]] unfinished take(unfinished& x);
  // The same of one that a handler has begun.
  [[nodiscard]] unfinished take_begun(unfinished& x);
  void join(unfinished x, clock::time_point now);
  void wait(unfinished& x, clock::time_point due);
  [[nodiscard]] attempt enter(unfinished& x, clock::time_point now);
  // Whether `x` joined `of`.
  [[nodiscard]] static bool is_copy(const unfinished& x, const unfinished& of);
  // Whether the target may have that message in its mailbox, late.
  [[nodiscard]] bool has_late(const unfinished& of) const;
  [[nodiscard]] std::vector<std::uint64_t>
  take_joined(const unfinished& x, bool in_packs_only = false);

  std::shared_ptr<hub> hub_;
  std::string name_; // of the queue, for messages to humans
  serve_options options_;
  factory make_;    // empty: the target is not replaced
  backoff restart_; // between targets

  std::mutex mutex_;               // guards all below
  caf::actor target_;              // null while there is none
  std::uint64_t targets_ = 0;      // made so far: the number of the present one
  std::uint64_t entries_ = 0;      // into mailboxes, so far
  std::uint64_t begun_to_ = 0;     // of them: handlers had those before
  std::uint64_t watched_as_ = 0;   // the present one, to watchers
  bool gone_ = false;              // the target ended and nobody makes another
  bool able_ = false;              // the present one handled something
  bool blameless_ = false;         // the last that ended had not failed
  bool giving_back_ = false;       // give_back() was called
  clock::time_point made_at_{};    // when the target was made
  clock::time_point restart_at_{}; // when to make the next target
  std::uint64_t made_for_ = 0;     // the connection when the target was made
  std::vector<unfinished> unfinished_;  // as many as there ever were at once
  std::vector<std::uint32_t> attempts_; // of each of these slots, for tickets
  std::vector<std::uint32_t> free_;     // slots
  std::unordered_map<std::uint64_t, std::uint32_t> slots_; // by delivery
  std::size_t joined_ = 0;     // how many of them joined another
  std::size_t late_ = 0;       // how many of them are late
  std::uint64_t arrivals_ = 0; // so far
  dedupe_table streams_;
  std::vector<std::uint64_t> waiting_; // deliveries, by `arrival`
};

} // namespace rookery::bridge
