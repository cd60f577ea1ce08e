// The way of a delivery into the target.
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/caf/served_address.hpp"
#include "bridge/core/stream_id.hpp"

#include <caf/mailbox_element.hpp>

#include <algorithm>

namespace rookery::bridge {

namespace {

// Where in a stream a message is; nothing when its id does not tell.
std::optional<stream_id> place_of(const amqp::envelope_view& head) {
  const auto& id = head.message_id;
  if (!id.present || id.kind != id_kind::string)
    return std::nullopt;
  return parse_stream_id(id.bytes);
}

// Whether the body is as it was encoded; "identity" says so expressly.
bool is_plain(std::string_view content_encoding) {
  return content_encoding.empty() || content_encoding == "identity";
}

} // namespace

void served_address::deliver(std::uint64_t delivery, std::string_view bytes,
                             clock::time_point now) {
  ++hub_->counters.received;
  if (!hub_->lease.held(now)) {
    ++hub_->counters.failed;
    return hub_->settle(delivery, outcome::failure());
  }
  try {
    decode(delivery, bytes, now);
  } catch (const std::exception& x) {
    // Out of memory, say. Without an end it would cost credit for ever.
    ++hub_->counters.failed;
    hub_->report(observer::severity::error, "delivery-failed",
                 name_ + ": " + x.what());
    if (auto found = take(delivery))
      end(*found, outcome::failure());
    else
      hub_->settle(delivery, outcome::failure());
  }
}

void served_address::decode(std::uint64_t delivery, std::string_view bytes,
                            clock::time_point now) {
  amqp::decode_limits limits;
  limits.message_bytes_max = hub_->options.message_bytes_max;
  auto decoded = amqp::decode_message(bytes, limits);
  if (!decoded)
    return refuse(delivery, {}, errc::undecodable, "amqp:decode-error",
                  to_string(decoded.error()));
  const auto& head = *decoded;
  const auto* codec = hub_->types.find(head.type);
  if (codec == nullptr || !takes(codec->name))
    return refuse(delivery, head, errc::unknown_type, "amqp:not-implemented",
                  "messages of type \"" + std::string{head.type}
                      + "\" are not taken here");
  caf::message content;
  if (!is_plain(head.content_encoding) || !codec->decode(head.body(), content))
    return refuse(delivery, head, errc::undecodable, "amqp:decode-error",
                  "the body is not a " + codec->name);
  auto x = make_unfinished(delivery, head);
  x.deadline = now + options_.handler_timeout;
  if (head.ttl)
    x.expires = now + std::chrono::milliseconds{*head.ttl};
  take_in(std::move(x), head, std::move(content));
}

void served_address::take_in(unfinished x, const amqp::envelope_view& head,
                             caf::message content) {
  using state = dedupe::state;
  const auto delivery = x.delivery;
  const auto too_often =
      options_.attempts_max > 0 && head.delivery_count >= options_.attempts_max;
  auto before = state::unseen;
  caf::actor target;
  {
    std::lock_guard guard{mutex_};
    if (auto place = place_of(head)) {
      x.seq = place->seq;
      x.stream = streams_.at(place->stream);
      before = x.stream ? x.stream->find(x.seq) : state::unseen;
    }
    if (before == state::running)
      return join(std::move(x));
    if (before != state::done && !too_often && !gone_) {
      target = target_;
      auto stream = x.stream;
      auto seq = x.seq;
      add(std::move(x)); // first: what runs must have somebody to end it
      if (stream)
        static_cast<void>(stream->begin(seq));
      if (!target)
        return waiting_.push_back({delivery, std::move(content)});
      entered(*find(delivery));
    }
  }
  if (before == state::done) {
    ++hub_->counters.duplicates;
    return hub_->settle(delivery, outcome::accepted());
  }
  if (too_often)
    return refuse(delivery, head, errc::failed, "amqp:internal-error",
                  "failed " + std::to_string(head.delivery_count) + " times");
  if (!target) // gone for good: somebody else may take it
    return hub_->settle(delivery, outcome::released());
  hand_over(target, delivery, std::move(content));
}

void served_address::join(unfinished x) {
  ++hub_->counters.duplicates;
  x.joined = true;
  x.deadline = clock::time_point::max(); // the other one has a deadline
  for (auto& other : unfinished_)
    if (other.delivery != 0 && other.stream == x.stream && other.seq == x.seq)
      other.connection = x.connection;
  add(std::move(x));
  ++joined_;
}

bool served_address::takes(std::string_view type) const {
  const auto& types = options_.types;
  return types.empty()
         || std::find(types.begin(), types.end(), type) != types.end();
}

void served_address::hand_over_waiting(const caf::actor& target, waiting x) {
  std::optional<unfinished> stale;
  bool expired = false;
  {
    std::lock_guard guard{mutex_};
    auto* found = find(x.delivery);
    if (found == nullptr)
      return; // took too long, or the target is down already
    expired = found->expires <= hub_->world.now();
    if (expired || !hub_->lease_held(found->connection))
      stale = std::exchange(*found, {});
    else
      entered(*found);
  }
  if (stale)
    return expired ? expire(*stale) : give_up(*stale);
  hand_over(target, x.delivery, std::move(x.content));
}

void served_address::entered(unfinished& x) {
  if (options_.settle != settle_when::in_mailbox)
    return;
  x.settled = true;
  if (x.stream)
    x.stream->finish(x.seq);
  hub_->settle(x.delivery, outcome::accepted(), true);
}

void served_address::hand_over(const caf::actor& target, std::uint64_t delivery,
                               caf::message content) {
  // The delivery's number is the request's id: it has at most 60 bits.
  target->enqueue(caf::make_mailbox_element(caf::strong_actor_ptr{ctrl()},
                                            caf::make_message_id(delivery), {},
                                            std::move(content)),
                  nullptr);
}

} // namespace rookery::bridge
