// The way of a delivery into the target.
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/caf/served_address.hpp"
#include "bridge/caf/watch_protocol.hpp"
#include "bridge/core/stream_id.hpp"
#include "bridge/core/thrown.hpp"

#include <caf/mailbox_element.hpp>

#include <algorithm>
#include <utility>

namespace rookery::bridge {

namespace {

// Where in a stream a message is; nothing when its id does not tell.
std::optional<stream_id> place_of(const amqp::envelope_view& head) {
  const auto& id = head.message_id;
  if (!id.present || id.kind != id_kind::string)
    return std::nullopt;
  return parse_stream_id(id.bytes);
}

// What an answer refers to. A request without a message-id often has its
// identity in the correlation-id: older clients ask like that.
const amqp::id_view& identity(const amqp::envelope_view& head) {
  return head.message_id.present ? head.message_id : head.correlation_id;
}

// Whether the body is as it was encoded; "identity" says so expressly.
bool is_plain(std::string_view content_encoding) {
  return content_encoding.empty() || content_encoding == "identity";
}

} // namespace

void served_address::deliver(std::uint64_t delivery, std::string_view bytes,
                             clock::time_point now, arrival_type how) {
  ++hub_->counters.received;
  if (!hub_->lease.held(now)) {
    ++hub_->counters.failed;
    return hub_->settle(delivery, outcome::failure());
  }
  try {
    decode(delivery, bytes, now, how);
  } catch (...) {
    // Out of memory, say. Without an end it would cost credit for ever.
    ++hub_->counters.failed;
    hub_->report(observer::severity::error, "delivery-failed",
                 name_ + ": " + thrown());
    std::unique_lock guard{mutex_};
    unfinished lost;
    if (auto* found = find(delivery))
      lost = take(*found);
    guard.unlock();
    if (lost.delivery != 0)
      end(lost, outcome::failure());
    else
      hub_->settle(delivery, outcome::failure());
  }
}

void served_address::decode(std::uint64_t delivery, std::string_view bytes,
                            clock::time_point now, arrival_type how) {
  auto decoded = amqp::decode_message(
      bytes, amqp::limits_for(hub_->options.message_bytes_max));
  if (!decoded)
    return refuse(delivery, {}, how.in_pack, errc::undecodable,
                  "amqp:decode-error", to_string(decoded.error()));
  const auto& head = *decoded;
  if (take_control(delivery, head))
    return;
  if (!head.reply_to.empty() && !hub_->is_queue(head.reply_to))
    return refuse(
        delivery, head, how.in_pack, errc::undecodable, "amqp:invalid-field",
        "no queue can be answered at \"" + std::string{head.reply_to} + "\"");
  // What a broker may add is no room for a longer body.
  auto most = hub_->options.message_bytes_max;
  if (options_.message_bytes_max > 0)
    most = std::min(most, options_.message_bytes_max);
  if (head.body().size() > most)
    return refuse(delivery, head, how.in_pack, errc::too_long,
                  "amqp:link:message-size-exceeded",
                  "more than " + std::to_string(most)
                      + " bytes are not taken here");
  const auto* codec = hub_->types.find(head.type);
  if (codec == nullptr || !takes(codec->name))
    return refuse(delivery, head, how.in_pack, errc::unknown_type,
                  "amqp:not-implemented",
                  "messages of type \"" + std::string{head.type}
                      + "\" are not taken here");
  auto x = make_unfinished(delivery, head);
  x.in_pack = how.in_pack;
  if (!is_plain(head.content_encoding)
      || !codec->decode(head.body(), x.content))
    return refuse(delivery, head, how.in_pack, errc::undecodable,
                  "amqp:decode-error", "the body is not a " + codec->name);
  if (head.ttl)
    x.expires = now - how.waited + std::chrono::milliseconds{*head.ttl};
  if (auto place = place_of(head)) {
    x.seq = place->seq;
    std::lock_guard guard{mutex_};
    x.stream = streams_.at(place->stream);
  }
  take_in(std::move(x), now);
}

bool served_address::take_control(std::uint64_t delivery,
                                  const amqp::envelope_view& head) {
  if (!is_control(head.type) || !hub_->on_control)
    return false;
  std::uint64_t target = 0;
  {
    std::lock_guard guard{mutex_};
    target = watched_as_;
  }
  const auto taken = hub_->on_control(head, target);
  hub_->settle(delivery, taken ? outcome::accepted() : outcome::released());
  return true;
}

served_address::unfinished
served_address::make_unfinished(std::uint64_t delivery,
                                const amqp::envelope_view& head) {
  unfinished result;
  result.delivery = delivery;
  result.connection = hub_->lease.connection();
  if (!head.reply_to.empty()) {
    result.reply_to = head.reply_to;
    result.correlation_id = to_string(identity(head));
    result.correlation_kind = identity(head).kind;
  }
  return result;
}

void served_address::take_in(unfinished x, clock::time_point now) {
  using state = dedupe::state;
  const auto delivery = x.delivery;
  auto before = state::unseen;
  caf::actor target;
  attempt first{};
  {
    std::lock_guard guard{mutex_};
    if (x.stream)
      before = x.stream->find(x.seq);
    if (before == state::running)
      return join(std::move(x), now);
    if (before != state::done && !gone_ && (target_ || !giving_back_)) {
      x.arrival = ++arrivals_;
      auto& kept = add(std::move(x)); // first: what runs must have an end
      if (kept.stream) {
        static_cast<void>(kept.stream->begin(kept.seq));
        kept.failures = kept.stream->failures(kept.seq);
      }
      if (!target_ || kept.expires <= now)
        return wait(kept, now);
      target = target_;
      first = enter(kept, now);
    }
  }
  if (target)
    return hand_over(target, std::move(first));
  if (before == state::done) {
    ++hub_->counters.duplicates;
    return hub_->settle(delivery, outcome::accepted());
  }
  hub_->settle(delivery, outcome::untouched()); // somebody else may take it
}

bool served_address::takes(std::string_view type) const {
  const auto& types = options_.types;
  return types.empty()
         || std::find(types.begin(), types.end(), type) != types.end();
}

void served_address::hand_over_due(clock::time_point now) {
  caf::actor target;
  std::vector<unfinished*> ready;
  std::vector<unfinished*> again; // what failed: it may end this target, too
  std::vector<unfinished> stale;
  std::vector<attempt> attempts; // in the order in which they enter
  {
    std::lock_guard guard{mutex_};
    if (!target_)
      return;
    target = target_;
    std::erase_if(waiting_, [&](std::uint64_t delivery) {
      auto* x = find(delivery);
      if (x == nullptr)
        return true; // it waited too long
      if (x->due > now || x->expires <= now)
        return false;
      if (!hub_->lease_held(x->connection))
        stale.push_back(take(*x));
      else
        (x->failures > 0 ? again : ready).push_back(x);
      return true;
    });
    for (const auto* part : {&ready, &again})
      for (auto* x : *part)
        attempts.push_back(enter(*x, now));
  }
  for (const auto& x : stale)
    give_up(x);
  for (auto& x : attempts)
    hand_over(target, std::move(x));
}

void served_address::hand_over(const caf::actor& target, attempt x) {
  const auto ticket = x.ticket;
  target->enqueue(caf::make_mailbox_element(caf::strong_actor_ptr{ctrl()},
                                            caf::make_message_id(x.ticket), {},
                                            std::move(x.content)),
                  nullptr);
  // A closed mailbox has sent it back by now. If it is still here, and the
  // target is not, then that ended on it.
  unfinished begun;
  bool blameless = false;
  {
    std::lock_guard guard{mutex_};
    if (auto* found = find_attempt(ticket)) {
      if (target_ && found->target == targets_)
        found->place = unfinished::place_type::mailbox;
      else
        begun = take_begun(*found);
    }
    blameless = blameless_;
  }
  if (begun.delivery == 0)
    return;
  if (blameless)
    bounced(std::move(begun), "its actor ended");
  else
    failed(std::move(begun), "its actor ended");
}

} // namespace rookery::bridge
