#include "bridge/amqp/client.hpp"
#include "bridge/core/backoff.hpp"

#include <algorithm>
#include <utility>

namespace rookery::amqp {

namespace {

// How long a missing queue is taken to be missing.
constexpr std::chrono::milliseconds missing_time{250};

// Between attempts to send where it is forbidden. Each costs the broker a
// session, and what waits in a spill makes them for as long as that lasts.
constexpr bridge::backoff_options forbidden_times{
    missing_time, std::chrono::milliseconds{500}, std::chrono::seconds{5}};

// Links on one connection that nobody asked the broker for. Refusing each
// costs memory until the broker has read it.
constexpr std::size_t unasked_links_max = 16;

// Of one destination before it is the next one's turn.
constexpr std::size_t turn_bytes = std::size_t{64} << 10;

constexpr int not_found = 404; // of management's answers

} // namespace

void client::bring_up(client_sender& x, clock::time_point now) {
  using state = client_sender::state_type;
  if (x.state == state::asking || x.state == state::attaching
      || !x.wants_link())
    return;
  if (now >= x.retry_at)
    look_for(x);
  else if (x.state == state::missing)
    give_up(x);
}

void client::give_turn(client_sender& x) {
  if (!std::exchange(x.in_turn, true))
    turns_.push_back(&x);
}

// One after the other, a little each time.
void client::pump(clock::time_point now) {
  while (!turns_.empty() && output_bytes_ < output_bytes_max) {
    auto& x = *turns_.front();
    turns_.pop_front();
    x.in_turn = false;
    const auto done = x.pump(now, turn_bytes);
    sent_ += x.returns ? 0 : done.messages;
    packed_ += done.packed;
    output_bytes_ += done.bytes;
    report_unsent(x);
    if (done.messages > 0 && !x.returns)
      owner_.on_taken(x.index());
    if (done.more)
      give_turn(x);
  }
}

void client::report_unsent(client_sender& x) {
  using reason = client_sender::unsent::reason_type;
  for (auto& each : x.take_unsent()) {
    if (each.reason == reason::too_long)
      ended(x, std::move(each.item),
            bridge::outcome::rejected("amqp:link:message-size-exceeded",
                                      "the broker takes no message so long"));
    else
      owner_.on_expired(x.index(), std::move(each.item),
                        each.reason == reason::expired_without_outcome);
  }
}

session client::session_for_link() {
  const auto max = options_.profile->links_per_session_max;
  auto found =
      std::find_if(sessions_.begin(), sessions_.end(),
                   [max](const used_session& x) { return x.links < max; });
  if (found == sessions_.end())
    found = sessions_.insert(found, {engine_->open_session()});
  ++found->links;
  return found->self;
}

void client::attach(client_sender& x) {
  x.state = client_sender::state_type::attaching;
  x.attach_by = options_.now() + options_.sending.outcome_timeout;
  // Another each time: the end of the last one may be under way yet.
  auto name = options_.name + ".out." + std::to_string(++attaches_);
  auto l = engine_->make_sender(session_for_link(), name);
  l.set_context(&x);
  link_terms terms;
  terms.source = name;
  if (x.to())
    terms.target = options_.profile->encode(*x.to());
  terms.mixed = true; // some are sent settled
  l.open(terms);
}

void client::look_for(client_sender& x) {
  using kind = bridge::address::kind_type;
  if (!x.to() || declared_here(*x.to()))
    return attach_or_look(x);
  if (x.to()->kind() == kind::exchange)
    return found_exchanges_.contains(x.to()->name()) ? attach_or_look(x)
                                                     : look_apart(x);
  x.state = client_sender::state_type::asking;
  management_->find_queue(x.to()->name(), [this, &x](int status, std::string) {
    if (status >= 200 && status < 300)
      return attach_or_look(x);
    if (status == not_found)
      return missing(x);
    // The broker could not say. What waits for the answer goes on waiting.
    x.state = client_sender::state_type::down;
    x.retry_at = options_.now() + missing_time;
  });
}

void client::attach_or_look(client_sender& x) {
  return x.suspect ? look_apart(x) : attach(x);
}

void client::look_apart(client_sender& x) {
  x.state = client_sender::state_type::asking;
  to_probe_.push_back(&x);
  probe();
}

// One at a time: with a link that is refused goes its session.
void client::probe() {
  while (!probed_ && !to_probe_.empty()) {
    auto* x = to_probe_.front();
    to_probe_.pop_front();
    if (!x->suspect && found_exchanges_.contains(x->to()->name())) {
      attach(*x);
      continue;
    }
    probed_ = x;
    x->state = client_sender::state_type::attaching;
    x->attach_by = options_.now() + options_.sending.outcome_timeout;
    if (!probe_session_) {
      probe_session_ = engine_->open_session();
      probe_session_.set_context(this);
    }
    auto name = options_.name + ".probe." + std::to_string(++probes_);
    probe_link_ = engine_->make_sender(probe_session_, name);
    link_terms terms;
    terms.source = std::move(name);
    terms.target = options_.profile->encode(*x->to());
    probe_link_.open(terms);
  }
}

void client::probe_answered(bool there, const condition& why) {
  using kind = bridge::address::kind_type;
  auto l = std::exchange(probe_link_, {});
  auto& x = *std::exchange(probed_, nullptr);
  const auto exchange = x.to()->kind() == kind::exchange;
  if (there) {
    if (exchange)
      found_exchanges_.insert(x.to()->name());
    x.suspect = false;
    l.close();
    attach(x);
  } else {
    std::exchange(probe_session_, {}).close();
    missing(x, why);
    // Others wait to hear the same, if it is missing; what is forbidden may
    // hang on the key.
    const auto for_all = exchange && x.refusal.empty();
    for (auto* each : std::exchange(to_probe_, {}))
      if (for_all && each->to()->kind() == kind::exchange
          && each->to()->name() == x.to()->name())
        missing(*each);
      else
        to_probe_.push_back(each);
  }
  probe();
}

void client::missing(client_sender& x, const condition& why) {
  x.state = client_sender::state_type::missing;
  x.refusal = why.name == "amqp:not-found" ? condition{} : why;
  x.retry_at =
      options_.now()
      + (x.refusal.empty() ? missing_time
                           : bridge::delay_before(++x.refusals, forbidden_times,
                                                  options_.random()));
  if (auto text = x.refusal.text(); !x.refusal.empty() && x.told != text) {
    x.told = std::move(text);
    owner_.on_forbidden(x.to() ? to_string(*x.to()) : "answers", x.refusal);
  }
  give_up(x);
}

void client::give_up(client_sender& x) {
  const auto how =
      x.refusal.empty()
          ? bridge::outcome::released()
          : bridge::outcome::rejected(x.refusal.name, x.refusal.description);
  for (auto& item : x.give_up_all())
    ended(x, std::move(item), how);
}

// It may be gone: it is looked for before the next link.
void client::forget_exchange(const client_sender& x) {
  if (x.to() && x.to()->kind() == bridge::address::kind_type::exchange)
    found_exchanges_.erase(x.to()->name());
}

void client::try_later(client_sender& x) {
  auto old = x.current_link();
  old.set_context(nullptr); // its end is no news
  old.close();
  x.link_lost();
  forget_exchange(x);
  x.refusal = {};
  x.state = client_sender::state_type::missing;
  x.retry_at = options_.now() + missing_time;
}

// A sender's link is gone while its connection is not.
void client::sender_lost(client_sender& x, bool with_session,
                         const condition& why) {
  using state = client_sender::state_type;
  const auto refused = !x.attached() && x.state == state::attaching;
  x.link_lost();
  x.retry_at = options_.now() + missing_time;
  forget_exchange(x);
  if (!refused)
    return;
  // It may be another's fault that their session went.
  if (with_session)
    x.suspect = x.to().has_value();
  else
    missing(x, why);
}

client_sender* client::sender_of(link x) {
  return x.is_sender() ? static_cast<client_sender*>(x.context()) : nullptr;
}

client_receiver* client::receiver_of(link x) {
  return x.is_sender() ? nullptr : static_cast<client_receiver*>(x.context());
}

void client::on_session_closed(session s, const condition& why) {
  if (s == probe_session_)
    probe_session_ = {};
  if (s.context() != nullptr)
    return; // of what may be refused: its link knew before
  abort(why.empty() ? condition{"amqp:session-ended", "by the broker"} : why);
}

void client::on_link_open(link x, bool ours) {
  if (!ours && ++unasked_links_ > unasked_links_max)
    return abort({"amqp:not-allowed", "the broker goes on attaching links"});
  if (!ours)
    return x.refuse({"amqp:not-implemented", "this end takes no links"});
  if (aborted_ || management_->owns(x))
    return;
  if (x == probe_link_) {
    // Without the target we asked for it is a refusal: a detach follows.
    if (x.remote_terms().target)
      probe_answered(true);
    return;
  }
  if (auto* receiver = receiver_of(x)) {
    if (x.remote_terms().source)
      receiver_up(*receiver, x);
  } else if (auto* sender = sender_of(x)) {
    if (!sender->to() || x.remote_terms().target) {
      sender->link_up(x);
      sender->told.clear();
      sender->refusals = 0;
    }
  }
}

void client::on_link_closed(link x, const condition& why) {
  for (auto& each : sessions_)
    if (each.self == x.session() && each.links > 0)
      --each.links;
  if (x == probe_link_)
    return probe_answered(false, why);
  if (management_->owns(x)) {
    management_->links_lost();
  } else if (auto* receiver = receiver_of(x)) {
    x.set_context(nullptr); // the receiver may be forgotten before its link
    const auto refused = !receiver->attached();
    receiver->link_lost();
    deliveries_.forget_handles_of(receiver->index());
    packs_.forget_handles_of(receiver->index());
    forget_backlog(*receiver, [](const delivery&) { return true; });
    if (refused)
      return receiver_refused(*receiver, x, why);
    if (receiver->closed())
      return;
  } else if (auto* sender = sender_of(x)) {
    return sender_lost(*sender, x.went_with_session(), why);
  } else {
    return; // theirs, which was refused
  }
  if (x.went_with_session())
    return; // whose end says why, and is next
  abort(why.empty() ? condition{"amqp:link:detach-forced", "by the broker"}
                    : why);
}

} // namespace rookery::amqp
