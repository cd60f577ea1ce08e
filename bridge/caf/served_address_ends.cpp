// The ways in which a delivery ends.
#include "bridge/amqp/wire/park_note.hpp"
#include "bridge/caf/encoding.hpp"
#include "bridge/caf/plain_text.hpp"
#include "bridge/caf/served_address.hpp"

#include "rookery/bridge/v1/control.pb.h"

#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/sec.hpp>

#include <algorithm>

namespace rookery::bridge {

namespace {

// Whether the runtime, not the handler, says that no answer will come.
bool is_target_failure(const caf::error& x) {
  return x.category() == caf::atom("exit") || x == caf::sec::runtime_error
         || x == caf::sec::request_receiver_down;
}

// What a handler has answered. An error that is none is nothing, also to CAF.
const caf::type_erased_tuple& answer_in(const caf::type_erased_tuple& x) {
  static const caf::message nothing;
  return x.match_elements<caf::error>() && !x.get_as<caf::error>(0) ? nothing
                                                                    : x;
}

} // namespace

void served_address::enqueue(caf::mailbox_element_ptr what,
                             caf::execution_unit*) {
  // Anything else sent to the sender of a delivery has nowhere to go.
  if (what->mid.is_request())
    return fail(
        {waiting_send::kind_type::request, ctrl(), what->sender, what->mid},
        caf::sec::unexpected_message);
  if (!what->mid.is_response())
    return;
  const auto& answer = answer_in(what->content());
  unfinished x;
  {
    std::lock_guard guard{mutex_};
    auto ticket = what->mid.request_id().integer_value();
    if (auto* found = find_attempt(ticket)) {
      // Mailboxes keep the order.
      begun_to_ = std::max(begun_to_, found->entered);
      if (found->target == targets_ && !answer.match_elements<caf::error>())
        able_ = true;
      x = take(*found);
    }
  }
  if (x.late)
    end_late(std::move(x), &answer);
  else if (x.delivery != 0)
    finish(std::move(x), answer);
}

bool served_address::may_answer(const unfinished& x) const {
  return x.reply_to.empty() || hub_->lease_held(x.connection);
}

void served_address::expire(const unfinished& x) {
  constexpr auto why = "its time to live was over";
  ++hub_->counters.deliveries_expired;
  hub_->report(observer::severity::debug, "delivery-expired", name_);
  if (!x.reply_to.empty() && may_answer(x))
    reply_error(x, caf::make_error(errc::expired, why));
  end(x, parked("rookery:expired", why, x.failures));
}

outcome served_address::parked(const char* condition, std::string_view reason,
                               std::uint32_t failures) const {
  const amqp::park_note note{condition,
                             plain_text(reason, amqp::park_reason_bytes_max),
                             failures, plain_text(name_)};
  return outcome::parked(amqp::encode(note), failures > 0);
}

std::optional<outcome>
served_address::outcome_by_hand(const unfinished& x,
                                const caf::error& error) const {
  if (error == errc::poison
      || (options_.is_poison && options_.is_poison(error)))
    return parked("rookery:poison", text_of(error), x.failures + 1);
  if (error == errc::released)
    return outcome::released();
  return std::nullopt;
}

void served_address::end(const unfinished& x, const outcome& how) {
  std::vector<std::uint64_t> joined;
  {
    std::lock_guard guard{mutex_};
    if (x.late && find(x.delivery) == nullptr)
      return; // its answer came in between
    if (x.stream && !x.settled) {
      note_end(x, how);
      joined = take_joined(x);
    }
  }
  if (!x.late || !x.settled)
    hub_->settle(x.delivery, how, x.late);
  for (auto delivery : joined)
    hub_->settle(delivery, how);
}

void served_address::note_end(const unfinished& x, const outcome& how) {
  // Only what was accepted is not to be seen again: a refusal is given to
  // each copy, so that each is parked with its reason.
  if (how.kind == outcome::kind_type::accepted)
    x.stream->finish(x.seq);
  else if (how.undeliverable_here)
    x.stream->give_up(x.seq);
  else
    x.stream->fail(x.seq, x.failures);
  // The target has it still, so copies do not go there, but wait for that.
  if (has_late(x))
    static_cast<void>(x.stream->begin(x.seq));
}

void served_address::finish(unfinished x,
                            const caf::type_erased_tuple& answer) {
  // That it is done is true whoever owns the queue now, and what is done is
  // not to be done again; anything else an owner must say.
  const auto done = answer.empty() || answer.match_elements<caf::unit_t>();
  if (!done && !may_answer(x))
    return give_up(x);
  if (answer.match_elements<caf::error>())
    return finish_error(std::move(x), answer.get_as<caf::error>(0));
  if (!x.reply_to.empty()) {
    if (done)
      reply(x, v1::Done{});
    else if (const auto* codec = hub_->types.find(answer))
      reply(x, *codec->view(answer));
    else
      reply_error(x, caf::make_error(errc::unknown_type,
                                     "the answer: " + described(answer)));
  }
  end(x, outcome::accepted());
}

void served_address::finish_error(unfinished x, const caf::error& error) {
  if (error == caf::sec::unexpected_message) {
    if (goes_back(x))
      return;
    ++hub_->counters.undecodable;
    auto why = caf::make_error(errc::unknown_type,
                               name_ + " does not take this message");
    if (!x.reply_to.empty())
      reply_error(x, why);
    return end(x, parked("amqp:not-implemented", text_of(why), x.failures));
  }
  if (is_target_failure(error))
    return bounced(std::move(x), described(hub_->system, error));
  // An error that somebody waits for is an answer like any other. One that
  // nobody waits for is a failed attempt.
  if (!x.reply_to.empty()) {
    reply_error(x, error);
    return end(x, outcome::accepted());
  }
  if (auto asked = outcome_by_hand(x, error)) {
    if (asked->undeliverable_here && goes_back(x))
      return;
    ++hub_->counters.refused;
    if (asked->undeliverable_here)
      hub_->report(
          observer::severity::warning, "delivery-refused",
          name_ + ": "
              + plain_text(text_of(error), amqp::park_reason_bytes_max));
    return end(x, *asked);
  }
  failed(std::move(x), described(hub_->system, error));
}

void served_address::refuse(std::uint64_t delivery,
                            const amqp::envelope_view& head, bool in_pack,
                            errc why, const char* condition,
                            const std::string& reason) {
  if (in_pack)
    return hub_->settle(delivery, outcome::failure());
  auto text = plain_text(reason);
  ++hub_->counters.undecodable;
  hub_->report(observer::severity::warning, "delivery-refused",
               name_ + ": " + text);
  if (hub_->is_queue(head.reply_to))
    reply_error(make_unfinished(delivery, head), caf::make_error(why, text));
  hub_->settle(delivery, parked(condition, text, 0));
}

envelope served_address::reply_head(const unfinished& x) {
  envelope head;
  head.message_id = hub_->stream + ".r-" + std::to_string(++hub_->replies_sent);
  head.to = x.reply_to;
  head.correlation_id = x.correlation_id;
  head.correlation_id_kind = x.correlation_kind;
  return head;
}

void served_address::reply(const unfinished& x,
                           const google::protobuf::Message& body) {
  auto head = reply_head(x);
  const auto bytes_max = hub_->options.message_bytes_max;
  std::string bytes;
  if (body.ByteSizeLong() <= bytes_max)
    bytes = encode(head, body);
  if (bytes.empty() || bytes.size() > bytes_max)
    return reply_error(
        x, caf::make_error(errc::too_long,
                           "the answer: " + body.GetDescriptor()->full_name()));
  send_reply(x, std::move(bytes));
}

void served_address::reply_error(const unfinished& x, const caf::error& error) {
  auto head = reply_head(x);
  send_reply(x, encode_error(head, error, text_of(error)));
}

// Who sent a pack understands one.
void served_address::send_reply(const unfinished& x, std::string bytes) {
  const auto size = bytes.size();
  amqp::outgoing what{std::move(bytes)};
  if (x.in_pack) {
    what.packs = true;
    what.pack_to = x.reply_to;
  }
  const auto result = hub_->replies->push(std::move(what), size);
  if (result == push_result::queued_first)
    hub_->wake();
  if (result == push_result::full) {
    ++hub_->counters.queue_full;
    hub_->report(observer::severity::warning, "reply-dropped", name_);
  }
}

} // namespace rookery::bridge
