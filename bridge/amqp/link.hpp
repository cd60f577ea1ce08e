#pragma once

#include "bridge/amqp/condition.hpp"
#include "bridge/core/outcome.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct pn_link_t;
struct pn_session_t;
struct pn_delivery_t;

namespace rookery::amqp {

/// A session of an engine: a handle, valid until `on_session_closed`.
class session {
public:
  session() = default;
  explicit session(pn_session_t* self) : self_(self) {}

  /// Answers a remote begin, or begins a session of our own.
  void open();
  /// Ends the session and every link on it. With a condition: as an error.
  void close(const condition& why = {});
  void set_context(void* context);
  [[nodiscard]] void* context() const;
  /// The engine's: the links that are left are closed for the peer's END.
  void take_along();
  [[nodiscard]] bool takes_along() const;

  [[nodiscard]] pn_session_t* get() const { return self_; }
  [[nodiscard]] explicit operator bool() const { return self_ != nullptr; }
  [[nodiscard]] bool operator==(const session&) const = default;

private:
  pn_session_t* self_ = nullptr;
};

/// One received delivery, not yet settled. Valid until it is settled or its
/// connection is gone, whichever comes first.
class delivery {
public:
  delivery() = default;
  explicit delivery(pn_delivery_t* self) : self_(self) {}

  /// Tells the sender how it ended and forgets it. The handle is invalid
  /// afterwards.
  void settle(const bridge::outcome& how);
  /// The sender settled it already (pre-settled): an outcome has no reader.
  [[nodiscard]] bool settled_by_sender() const;

  [[nodiscard]] explicit operator bool() const { return self_ != nullptr; }
  [[nodiscard]] bool operator==(const delivery&) const = default;

private:
  pn_delivery_t* self_ = nullptr;
};

/// What an attach says beside addresses.
struct link_terms {
  /// Where messages come from; nothing = null source.
  std::optional<std::string> source = {};
  /// Where messages go; nothing = null target, the anonymous terminus.
  std::optional<std::string> target = {};
  /// The source or target is to be made by the broker (dynamic).
  bool dynamic = false;
  /// The target is a transaction coordinator. Only read.
  bool coordinator = false;
  /// Every transfer is settled by the sender.
  bool presettled = false;
  /// Transfers may be settled by the sender or not, one by one. RabbitMQ ends
  /// the session at a settled one on a link that said neither.
  bool mixed = false;
  /// The receiver settles only after the sender did (`rcv-settle-mode`
  /// second). Only read; we never ask for it.
  bool settles_second = false;
  /// Link property `paired` = true: one half of a management link pair.
  bool paired = false;
  /// Link property `rabbitmq:priority` of a consumer; greater is served first.
  std::optional<std::int32_t> priority = {};
  /// Bytes of a message we accept; 0 = no limit stated.
  std::uint64_t message_bytes_max = 0;
};

/// One end of an AMQP link: a handle, valid until `on_link_closed`.
/// @thread the engine's
class link {
public:
  link() = default;
  explicit link(pn_link_t* self) : self_(self) {}

  /// Sends our half of the attach. `terms` are our own when we started the
  /// link, or what we agreed to when the peer did.
  void open(const link_terms& terms);
  /// Refuses a link that the peer started: attach with null termini, then
  /// detach with the reason, as AMQP 1.0, part 2, 2.6.3 asks.
  void refuse(const condition& why);
  /// Detaches for good. The engine forgets the link once the peer agreed.
  void close(const condition& why = {});

  /// Receiver: lets the peer send `n` more messages.
  void add_credit(std::uint32_t n);
  /// Receiver: asks the peer to use up its credit or to return it.
  void drain(std::uint32_t n);

  /// Sender: messages we may send now. Never send more: Proton would keep
  /// them in memory without limit. Receiver: messages that may still come.
  [[nodiscard]] std::uint32_t credit() const;
  /// Sender: the peer asked us to use up the credit or return it.
  [[nodiscard]] bool draining() const;
  /// Sender: messages given to `send` that wait to be written.
  [[nodiscard]] std::uint32_t queued() const;
  /// Sender: gives back what credit is left.
  void drained();

  /// Sender: sends one message, `head` followed by `rest`. `number` comes back
  /// with the outcome and makes the delivery tag: unique on the link, never 0.
  /// Requires credit() > 0. With `presettled` no outcome will come.
  void send(std::uint64_t number, std::string_view head, std::string_view rest,
            bool presettled);

  /// What the peer's attach said.
  [[nodiscard]] link_terms remote_terms() const;
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] bool is_sender() const;
  [[nodiscard]] amqp::session session() const;
  /// The peer ended its session, and had not detached the link before, not even
  /// in the same breath. In `on_link_closed`.
  [[nodiscard]] bool went_with_session() const;
  void set_context(void* context);
  [[nodiscard]] void* context() const;

  [[nodiscard]] pn_link_t* get() const { return self_; }
  [[nodiscard]] explicit operator bool() const { return self_ != nullptr; }
  [[nodiscard]] bool operator==(const link&) const = default;

private:
  pn_link_t* self_ = nullptr;
};

} // namespace rookery::amqp
