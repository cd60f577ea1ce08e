#include "broker/consumer_link.hpp"

#include "bridge/amqp/wire/header_facts.hpp"
#include "broker/annotations.hpp"
#include "broker/connection.hpp"
#include "broker/core/queue.hpp"
#include "broker/dispatcher.hpp"

#include <utility>

namespace rookery::broker {

namespace {

outcome outcome_of(const bridge::outcome& x) {
  using kind = bridge::outcome::kind_type;
  switch (x.kind) {
  case kind::accepted:
    return outcome::accepted;
  case kind::rejected:
    return outcome::rejected;
  case kind::modified:
    return modified(x.failed, x.undeliverable_here);
  case kind::released:
  case kind::none:
    break;
  }
  return outcome::released;
}

/// What is to be noted on a message that becomes a dead letter.
notes_ptr notes_of(const bridge::outcome& x) {
  if (!x.annotations || !x.undeliverable_here)
    return nullptr;
  return read_notes(*x.annotations);
}

std::string header_of(const event& x) {
  amqp::header_facts facts;
  facts.durable = x.message->durable;
  facts.priority = x.message->priority;
  std::optional<std::uint32_t> ttl;
  if (x.message->ttl)
    ttl = static_cast<std::uint32_t>(x.message->ttl->count());
  return amqp::rewrite_header(facts, x.delivery_count, x.first_acquirer, ttl);
}

} // namespace

consumer_link::consumer_link(connection& owner, amqp::link self,
                             bool presettled, std::uint64_t bytes_max)
    : endpoint{owner, self},
      presettled_{presettled},
      bytes_max_{bytes_max} {}

std::optional<failure> consumer_link::consume(std::string_view queue,
                                              std::int32_t priority) {
  auto joined = owner_.shared().host.attach(
      queue, {priority, presettled_, owner_.id(), this});
  if (!joined)
    return joined.error();
  source_ = std::move(joined.value());
  output_full_ = owner_.full(); // of what others have not taken
  refresh_pause();
  return std::nullopt;
}

void consumer_link::give(const event& what) {
  if (what.what == event::kind::drained)
    return give_back();
  if (what.what == event::kind::activated)
    return owner_.shared().sink.consumer_active(source_->source()->name(),
                                                owner_.peer());
  send(what);
}

void consumer_link::send(const event& what) {
  const auto& message = *what.message;
  const auto number = presettled_ ? ++presettled_count_ : what.id;
  const auto head = header_of(what);
  auto rest = std::string_view{message.bytes}.substr(message.header_bytes);
  std::string annotated;
  if (message.history || what.returned_count > 0)
    rest = annotated = annotate(rest, message, what.returned_count);
  const auto size = head.size() + rest.size();
  if (bytes_max_ != 0 && size > bytes_max_)
    return owner_.end_session(*this, {"amqp:link:message-size-exceeded",
                                      "a message is longer than the "
                                          + std::to_string(bytes_max_)
                                          + " bytes that the receiver takes"});
  self_.send(number, head, rest, presettled_);
  auto& shared = owner_.shared();
  ++shared.counters.messages_out;
  shared.touch(owner_);
  owner_.sent(size);
  if (source_->unsettled_count() >= shared.options.unsettled_max)
    refresh_pause();
}

void consumer_link::cancel(std::string_view queue) {
  owner_.end_link(*this, {"amqp:resource-deleted",
                          "queue '" + std::string{queue} + "' was deleted"});
}

void consumer_link::on_credit() {
  const auto credit = self_.credit();
  const auto drain = self_.draining() && credit > 0;
  if (drain && credit == returned_)
    return give_back();
  returned_ = 0; // it is granted anew
  // Reported again whenever a transfer was written: mostly nothing is new.
  if (credit == source_->credit() && drain == source_->draining())
    return;
  source_->set_credit(credit, drain);
  end_held_drain();
  owner_.shared().wake();
}

// Who holds as many as it may gets none before it has settled some, which it
// may do only when its drain has ended.
void consumer_link::end_held_drain() {
  if (!paused_ || output_full_ || !source_->draining())
    return;
  source_->set_credit(0);
  give_back();
}

void consumer_link::give_back() {
  // Behind messages that wait to be written Proton would forget to say so.
  if (self_.queued() > 0) {
    returned_ = self_.credit();
    return;
  }
  returned_ = 0;
  self_.drained();
  owner_.shared().touch(owner_);
}

void consumer_link::on_outcome(std::uint64_t number,
                               const bridge::outcome& how) {
  if (presettled_)
    return;
  if (how.kind == bridge::outcome::kind_type::none)
    return owner_.end_session(*this, {"amqp:invalid-field",
                                      "a delivery was settled without an "
                                      "outcome"});
  source_->settle(number, outcome_of(how), notes_of(how));
  if (paused_)
    refresh_pause();
  owner_.shared().wake();
}

void consumer_link::on_full() {
  output_full_ = true;
  refresh_pause();
}

void consumer_link::on_room() {
  output_full_ = false;
  refresh_pause();
  end_held_drain(); // it may be paused for the other reason, still
}

void consumer_link::on_closed(detach_reason why) {
  auto& shared = owner_.shared();
  if (const auto gone = shared.host.detach(*source_, why))
    shared.queue_deleted(*gone, {});
  shared.wake();
}

void consumer_link::refresh_pause() {
  const auto paused =
      output_full_
      || source_->unsettled_count() >= owner_.shared().options.unsettled_max;
  if (std::exchange(paused_, paused) == paused)
    return;
  source_->set_paused(paused);
  end_held_drain();
  owner_.shared().wake();
}

} // namespace rookery::broker
