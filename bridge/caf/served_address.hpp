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
#include <utility>
#include <vector>

namespace rookery::bridge {

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
               clock::time_point now);
  /// Looks after handlers that take too long and targets that are down.
  /// @returns false when the target is gone for good. @thread proton
  bool check(clock::time_point now);

  /// The connection is over. @thread proton
  void connection_over();

  /// A response. @thread any
  using caf::actor_proxy::enqueue;
  void enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* context) override;
  void kill_proxy(caf::execution_unit* context, caf::error reason) override;

private:
  // One delivery in the target, or one that waits for the end of another
  // delivery of the same message.
  struct unfinished {
    std::uint64_t delivery = 0; // 0: the slot is free
    // The one over which it came; after a redelivery, over which that did. An
    // answer belongs to it: over another, somebody else may answer.
    std::uint64_t connection = 0;
    std::string reply_to; // empty: nobody waits for an answer
    std::string correlation_id;
    id_kind correlation_kind = id_kind::string;
    clock::time_point deadline{};
    clock::time_point expires = clock::time_point::max(); // if it waits so long
    bool settled = false;           // early, when it entered the mailbox
    std::shared_ptr<dedupe> stream; // null: its copies cannot be told
    std::uint64_t seq = 0;          // in the stream
    bool joined = false;            // the other one is in the target
  };
  // One delivery that waits for a new target.
  struct waiting {
    std::uint64_t delivery;
    caf::message content;
  };

  void decode(std::uint64_t delivery, std::string_view bytes,
              clock::time_point now);
  void take_in(unfinished x, const amqp::envelope_view& head,
               caf::message content);
  // Waits for the end of the delivery of the same message that runs. Call it
  // with mutex_ held.
  void join(unfinished x);
  // It enters the target's mailbox. Call it with mutex_ held.
  void entered(unfinished& x);
  [[nodiscard]] bool takes(std::string_view type) const;
  void make_target();
  void watch(const caf::actor& target);
  // The slot of a delivery, null when it has ended. Call it with mutex_ held.
  [[nodiscard]] unfinished* find(std::uint64_t delivery);
  void add(unfinished x);
  void on_target_down(const caf::error& reason);
  void hand_over_waiting(const caf::actor& target, waiting x);
  void hand_over(const caf::actor& target, std::uint64_t delivery,
                 caf::message content);
  void refuse(std::uint64_t delivery, const amqp::envelope_view& head, errc why,
              const char* condition, const std::string& text);
  void finish(const unfinished& x, const caf::type_erased_tuple& answer);
  void finish_error(const unfinished& x, const caf::error& error);
  // Ends one that was taken out and that nobody may answer here.
  void give_up(const unfinished& x);
  // Ends one that was taken out and waited for a target too long.
  void expire(const unfinished& x);
  // The outcome that a handler asks for by an error of ours.
  [[nodiscard]] static std::optional<outcome>
  outcome_by_hand(const caf::error& error);
  // Settles one that was taken out, and those that joined it.
  void end(const unfinished& x, const outcome& how);
  // Call it with mutex_ held.
  [[nodiscard]] std::vector<std::uint64_t> take_joined(const unfinished& x);
  void reply(const unfinished& x, const google::protobuf::Message& body);
  void reply_error(const unfinished& x, const caf::error& error);
  void send_reply(std::string bytes);
  [[nodiscard]] unfinished make_unfinished(std::uint64_t delivery,
                                           const amqp::envelope_view& head);
  // Whether one that was taken out may be answered, if somebody waits.
  [[nodiscard]] bool may_answer(const unfinished& x) const;
  [[nodiscard]] envelope reply_head(const unfinished& x);
  [[nodiscard]] std::optional<unfinished> take(std::uint64_t delivery);

  std::shared_ptr<hub> hub_;
  std::string name_; // of the queue, for messages to humans
  serve_options options_;
  factory make_;    // empty: the target is not replaced
  backoff restart_; // between targets

  std::mutex mutex_;               // guards all below
  caf::actor target_;              // null while there is none
  bool gone_ = false;              // the target ended and nobody makes another
  clock::time_point made_at_{};    // when the target was made
  clock::time_point restart_at_{}; // when to make the next target
  std::uint64_t made_for_ = 0;     // the connection when the target was made
  // By the low half of their numbers, which the client uses again: as many as
  // the windows of the bridge have room for.
  std::vector<unfinished> unfinished_;
  std::size_t joined_ = 0; // how many of them joined another
  dedupe_table streams_;
  std::vector<waiting> waiting_; // while target_ is null; within the window
};

} // namespace rookery::bridge
