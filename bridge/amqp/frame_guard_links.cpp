// What the frames of AMQP do to channels, links and deliveries.
#include "bridge/amqp/condition_names.hpp"
#include "bridge/amqp/frame_guard.hpp"
#include "bridge/amqp/performative.hpp"

#include <algorithm>
#include <string>

namespace rookery::amqp {

namespace {

// An engine that takes handles as signed numbers confuses greater ones.
constexpr std::uint32_t handle_max = 0x7fff'ffff;
// Proton takes more for less than none.
constexpr std::uint32_t credit_max = 0x7fff'ffff;
// Of a frame but a transfer. Ten times what anybody sends.
constexpr std::size_t values_max = 1'000;
// What an engine keeps of a value besides its bytes, and some.
constexpr std::size_t bytes_per_value = 100;
// An engine keeps what a disposition says for each delivery it speaks of, of
// which there may be tens of thousands, until it is settled; and the room for
// it, for others, until the connection ends.
constexpr std::size_t disposition_values_max = 32;
constexpr std::size_t disposition_bytes_max = 16 * 1024;
constexpr std::size_t common_disposition_values_max = 16;
constexpr std::size_t common_disposition_bytes_max = 512;
// A delivery is spoken of twice: what became of it, and that it is settled. Who
// speaks once saves that up, to this.
constexpr std::int64_t talk_of_one = 2;
constexpr std::int64_t saved_talk_max = 100'000;
constexpr std::int64_t idle_talk_max = 1'000;

} // namespace

void frame_guard::take_performative(std::uint16_t channel,
                                    std::string_view body) {
  const auto said = parse_performative(body);
  if (!said || said->code < performative::open
      || said->code > performative::close)
    return refuse(decode_error_name, "a frame is malformed");
  const auto code = said->code;
  if (open_ == (code == performative::open))
    return refuse(illegal_state,
                  open_ ? "a second OPEN" : "a frame in front of the OPEN");
  if (said->values > values_max)
    return refuse(resource_limit, "a frame has more than "
                                      + std::to_string(values_max) + " values");
  switch (code) {
  case performative::open:
    open_ = true;
    return;
  case performative::begin:
    return begin(channel, said->answers);
  case performative::attach:
    return attach(channel, *said, body.size());
  case performative::transfer: // in an unusual spelling
    return refuse(decode_error_name, "a transfer is malformed");
  case performative::disposition:
    return take_disposition(*said, body.size());
  case performative::detach:
    return detach(channel, said->handle.value_or(0));
  case performative::end:
    return end(channel);
  case performative::close:
    phase_ = phase::over;
    return;
  case performative::flow:
    if (const auto* on = find(channel, said->handle.value_or(0));
        on != nullptr && on->peer_receives && said->link_credit > credit_max)
      refuse("amqp:not-implemented",
             "a link credit of more than " + std::to_string(credit_max));
    return;
  default:
    return;
  }
}

void frame_guard::begin(std::uint16_t channel,
                        std::optional<std::uint16_t> answers) {
  if (channel >= options_.sessions_max)
    return refuse(framing_error, "channel " + std::to_string(channel)
                                     + " is above the greatest we allow");
  if (find(channel) != nullptr)
    return refuse(not_allowed, "a channel was begun twice");
  if (answers) {
    for (const auto& [_, each] : sessions_)
      if (each.answers == answers)
        return refuse(not_allowed, "a session of ours was answered twice");
    if (answers_due_ == 0)
      return refuse(not_allowed, "a session was answered that we never began");
    --answers_due_;
  }
  sessions_[channel].answers = answers;
}

void frame_guard::attach(std::uint16_t channel, const performative_facts& said,
                         std::size_t body_bytes) {
  const auto handle = *said.handle;
  const auto cost = body_bytes + bytes_per_value * said.values;
  auto* where = find(channel);
  if (where == nullptr)
    return; // the engine says so
  if (handle > handle_max)
    return refuse("amqp:invalid-field", "a handle is out of range");
  if (link_count_ >= options_.links_max)
    return refuse(resource_limit, "more than "
                                      + std::to_string(options_.links_max)
                                      + " links on one connection");
  if (attached_bytes_ + cost > options_.attached_bytes_max)
    return refuse(resource_limit,
                  "the links of one connection say more than they may");
  const link_state fresh{.peer_receives = said.peer_receives,
                         .attached_bytes = cost};
  if (!where->links.try_emplace(handle, fresh).second)
    return refuse("amqp:session:handle-in-use", "a handle was attached twice");
  attached_bytes_ += cost;
  ++link_count_;
}

void frame_guard::take_disposition(const performative_facts& said,
                                   std::size_t body_bytes) {
  const auto several = said.deliveries > 1;
  const auto common = several || !said.settled;
  if (said.values
          > (common ? common_disposition_values_max : disposition_values_max)
      || body_bytes
             > (common ? common_disposition_bytes_max : disposition_bytes_max))
    return refuse(resource_limit, "a disposition says more than it may");
  if (!several || !options_.deliveries_ever)
    return;
  // Proton looks for each from the first to the last that there was.
  idle_talk_ += static_cast<std::int64_t>(
      std::min(said.deliveries, options_.deliveries_ever() + 1));
  if (idle_talk_ <= idle_talk_max)
    return;
  // What waits to be looked at may bring as many to their end.
  const auto unsettled = options_.deliveries_unsettled();
  if (idle_talk_ - idle_talk_max
      > 2 * talk_of_one * static_cast<std::int64_t>(unsettled))
    refuse(resource_limit, "dispositions speak of the same deliveries again");
}

void frame_guard::delivery_known() {
  idle_talk_ = std::max(idle_talk_ - talk_of_one, -saved_talk_max);
}

void frame_guard::detach(std::uint16_t channel, std::uint32_t handle) {
  auto* which = find(channel, handle);
  if (which == nullptr)
    return;
  unfinished_bytes_ -= which->bytes;
  attached_bytes_ -= which->attached_bytes;
  last_ = nullptr;
  --link_count_;
  find(channel)->links.erase(handle);
}

void frame_guard::end(std::uint16_t channel) {
  auto* which = find(channel);
  if (which == nullptr)
    return;
  for (const auto& [_, each] : which->links) {
    unfinished_bytes_ -= each.bytes;
    attached_bytes_ -= each.attached_bytes;
  }
  link_count_ -= which->links.size();
  last_ = nullptr;
  sessions_.erase(channel);
}

void frame_guard::take_transfer(std::uint16_t channel, std::string_view body,
                                std::size_t body_bytes) {
  const auto said = parse_transfer(body);
  if (!said)
    return refuse(decode_error_name, "a transfer is malformed");
  if (!open_)
    return refuse(illegal_state, "a frame in front of the OPEN");
  auto* on = find(channel, said->handle);
  if (on == nullptr)
    return refuse("amqp:session:unattached-handle",
                  "a transfer on a handle that is not attached");
  if (on->peer_receives)
    return refuse(not_allowed, "a transfer on a link that receives");
  if (said->aborted)
    return refuse("amqp:not-implemented", "a transfer was aborted");
  if (!on->under_way && !said->delivery_id)
    return refuse("amqp:invalid-field", "a delivery has no delivery-id");
  if (on->under_way && said->delivery_id
      && *said->delivery_id != on->delivery_id)
    return refuse("amqp:invalid-field",
                  "a delivery began before the last on its link was complete");
  const auto payload = body_bytes - body.size();
  const auto total = on->bytes + payload;
  if (total > options_.message_bytes_max)
    return refuse("amqp:link:message-size-exceeded",
                  "a message is longer than "
                      + std::to_string(options_.message_bytes_max) + " bytes");
  if (!said->more) {
    if (total == 0)
      return refuse(decode_error_name, "a transfer has no payload");
    unfinished_bytes_ -= on->bytes;
    on->under_way = false;
    on->bytes = 0;
    return delivery_known();
  }
  if (!on->under_way)
    on->delivery_id = *said->delivery_id;
  on->under_way = true;
  on->bytes = total;
  unfinished_bytes_ += payload;
  if (unfinished_bytes_ / 4 > options_.message_bytes_max)
    refuse(resource_limit, "too many unfinished messages on one connection");
}

frame_guard::session_state* frame_guard::find(std::uint16_t channel) {
  const auto found = sessions_.find(channel);
  return found == sessions_.end() ? nullptr : &found->second;
}

frame_guard::link_state* frame_guard::find(std::uint16_t channel,
                                           std::uint32_t handle) {
  const auto key = std::uint64_t{channel} << 32 | handle;
  if (last_ != nullptr && last_key_ == key)
    return last_;
  auto* where = find(channel);
  if (where == nullptr)
    return nullptr;
  const auto found = where->links.find(handle);
  if (found == where->links.end())
    return nullptr;
  last_key_ = key;
  return last_ = &found->second;
}

} // namespace rookery::amqp
