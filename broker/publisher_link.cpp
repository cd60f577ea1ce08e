#include "broker/publisher_link.hpp"

#include "bridge/amqp/wire/header_facts.hpp"
#include "broker/connection.hpp"
#include "broker/dispatcher.hpp"

#include <memory>
#include <utility>

namespace rookery::broker {

namespace {

using kind = terminus::kind_type;

route route_of(const terminus& x) {
  return x.kind == kind::exchange ? route{x.name, x.key} : route{"", x.name};
}

/// Gives back room that is not used: what a queue holds is counted by its size.
void fit(std::string& bytes) {
  constexpr std::size_t small = 64;
  if (bytes.capacity() - bytes.size() > bytes.size() / 4 + small)
    bytes.shrink_to_fit();
}

} // namespace

publisher_link::publisher_link(connection& owner, amqp::link self,
                               const terminus& where, settling says)
    : endpoint{owner, self},
      anonymous_{where.kind == kind::anonymous},
      says_{says} {
  if (!anonymous_)
    route_ = route_of(where);
  if (const auto* name = queue())
    number_ = owner_.shared().add(*this, *name);
  refill();
}

publisher_link::~publisher_link() {
  if (const auto* name = queue())
    owner_.shared().remove_publisher(*name, number_);
  if (stalled_)
    owner_.shared().forget(*stalled_);
}

void publisher_link::on_message(amqp::delivery d, std::string& bytes) {
  auto& shared = owner_.shared();
  ++shared.counters.messages_in;
  if (credit_ == 0) {
    d.settle(bridge::outcome::released());
    return owner_.end_link(*this, {"amqp:link:transfer-limit-exceeded",
                                   "a message came without credit for it"});
  }
  --credit_;
  const auto settled = d.settled_by_sender();
  if (settled ? says_ == settling::none : says_ == settling::all)
    return owner_.end_session(
        *this, {"amqp:connection:framing-error",
                "a message is settled, or not, against the word of its link"});
  auto result = publish(bytes);
  switch (result.how.kind) {
  case bridge::outcome::kind_type::accepted:
    ++shared.counters.messages_accepted;
    break;
  case bridge::outcome::kind_type::released:
    ++shared.counters.messages_released;
    break;
  default:
    ++shared.counters.messages_rejected;
    refuse({result.how.condition, result.how.description});
  }
  d.settle(result.how);
  shared.wake();
  // Nobody reads the outcome of a settled message: where its own address is
  // at fault the link must tell.
  if (settled && anonymous_
      && result.how.kind == bridge::outcome::kind_type::rejected)
    result.detach = {result.how.condition, result.how.description};
  if (result.detach)
    return owner_.end_link(*this, *result.detach);
  if (credit_ <= shared.options.publisher_window / 2)
    refill();
}

publisher_link::verdict publisher_link::publish(std::string& bytes) {
  auto fresh = std::make_shared<message>();
  fresh->bytes = std::move(bytes);
  const auto facts = amqp::parse_header_facts(fresh->bytes);
  if (!facts)
    return {bridge::outcome::rejected("amqp:decode-error",
                                      to_string(facts.error()))};
  fresh->header_bytes = static_cast<std::uint32_t>(facts->header_bytes);
  fresh->durable = facts->durable;
  fresh->priority = facts->priority;
  if (facts->ttl)
    fresh->ttl = std::chrono::milliseconds{*facts->ttl};
  if (anonymous_)
    if (auto refused = aim(facts->to))
      return {*std::move(refused)};
  // After the last use of `to`, which points behind them.
  fresh->bytes.erase(facts->delivery_annotations_at,
                     facts->delivery_annotations_bytes);
  fit(fresh->bytes);
  fresh->published_to = route_->to();
  return verdict_of(owner_.shared().host.publish(*route_, fresh));
}

std::optional<bridge::outcome> publisher_link::aim(std::string_view to) {
  if (route_ && to == last_to_)
    return std::nullopt;
  if (to.empty())
    return bridge::outcome::rejected(
        "amqp:precondition-failed",
        "a link without a target needs messages with a 'to' address");
  const auto where = parse_to(to);
  // A plain name is an address only while there is such a queue.
  if (!where
      || (where->kind == kind::plain
          && owner_.shared().host.find_queue(where->name) == nullptr))
    return bridge::outcome::rejected("amqp:precondition-failed",
                                     "bad 'to' address string " + quoted(to));
  route_ = route_of(*where);
  last_to_ = to;
  return std::nullopt;
}

publisher_link::verdict
publisher_link::verdict_of(const publish_result& x) const {
  switch (x.what) {
  case publish_outcome::accepted:
    return {bridge::outcome::accepted()};
  case publish_outcome::released:
    return {bridge::outcome::released()};
  case publish_outcome::rejected:
    return {bridge::outcome::rejected("amqp:resource-limit-exceeded",
                                      x.refused_by->name() + ": "
                                          + std::string{to_string(x.why)})};
  case publish_outcome::no_exchange:
    break;
  }
  amqp::condition why{"amqp:not-found",
                      "exchange '" + route_->exchange() + "' does not exist"};
  if (anonymous_)
    return {bridge::outcome::rejected(why.name, why.description)};
  return {bridge::outcome::released(), why};
}

void publisher_link::end(const amqp::condition& why) {
  if (!owner_.going())
    owner_.end_link(*this, why);
}

bool publisher_link::resume() {
  if (!room())
    return false;
  stalled_.reset();
  refill();
  owner_.shared().touch(owner_);
  return true;
}

const std::string* publisher_link::queue() const {
  return !anonymous_ && route_->exchange().empty() ? &route_->key() : nullptr;
}

void publisher_link::refuse(const amqp::condition& why) {
  owner_.shared().sink.message_refused(owner_.id(), self_.name(), why.text());
}

void publisher_link::refill() {
  auto& shared = owner_.shared();
  if (room()) {
    self_.add_credit(shared.options.publisher_window - credit_);
    credit_ = shared.options.publisher_window;
  } else if (!stalled_) {
    stalled_ = shared.stall(*this);
  }
}

bool publisher_link::room() {
  const auto& shared = owner_.shared();
  const auto& options = shared.options;
  const auto* name = queue();
  const auto* target = name ? shared.host.find_queue(*name) : nullptr;
  auto queue_mark = options.queue_high_water_bytes;
  auto host_mark = options.host_high_water_bytes;
  if (target != nullptr && target->consumers().any_of(owner_.id())) {
    queue_mark *= 2;
    host_mark += host_mark / 8;
  }
  // Once stopped, it goes on at three quarters: else credit would trickle.
  const auto below = [this](std::uint64_t held, std::uint64_t mark) {
    return held <= (stopped_ ? mark / 4 * 3 : mark);
  };
  stopped_ =
      !below(shared.host.bytes_used(), host_mark)
      || (target != nullptr && !below(target->counts().held_cost, queue_mark));
  return !stopped_;
}

} // namespace rookery::broker
