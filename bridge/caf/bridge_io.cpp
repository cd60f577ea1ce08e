#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/caf/bridge_impl.hpp"
#include "bridge/caf/encoding.hpp"
#include "bridge/caf/mailbox_state.hpp"
#include "bridge/core/thrown.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>

namespace rookery::bridge {

namespace {

// How often deadlines are looked after.
constexpr std::chrono::milliseconds check_interval{50};

// While no answer leaves. A broker may have stopped those who send until
// somebody consumes: then it has to be us.
constexpr std::chrono::seconds hold_time{2};

served_address& get(const caf::strong_actor_ptr& x) {
  return *static_cast<served_address*>(x->get());
}

} // namespace

void bridge::impl::publish_state(std::uint64_t applied) {
  hub_->counters.sent = client_.sent();
  hub_->counters.packed = client_.packed();
  hub_->counters.returned = client_.returned();
  {
    std::lock_guard guard{state_mutex_};
    state_.applied += applied;
    state_.up = client_.up();
    state_.unfinished = unfinished();
    if (state_.up) {
      state_.trouble.clear();
      state_.refusal.clear();
    }
  }
  state_changed_.notify_all();
}

void bridge::impl::publish_lease() {
  if (auto end = client_.lease_end())
    hub_->lease.extend(*end);
}

void bridge::impl::on_up(const amqp::peer_info& broker) {
  publish_lease();
  if (std::exchange(greeted_, true))
    return publish_state(); // something was added
  if (++connects_ > 1)
    ++hub_->counters.reconnects;
  hub_->report(observer::severity::info, "broker-up", broker.container_id);
  publish_state();
  watching_.connected();
  for (auto& f : up_hooks_)
    call(f);
}

void bridge::impl::call(const std::function<void()>& hook) {
  try {
    hook();
  } catch (...) {
    on_exception(thrown());
  }
}

void bridge::impl::on_exception(const std::string& what) {
  hub_->report(observer::severity::error, "exception", what);
}

void bridge::impl::on_down(const amqp::condition& why) {
  using severity = observer::severity;
  greeted_ = false;
  hub_->lease.lost(); // first: nobody may go on who looks
  watching_.disconnected();
  hub_->report(why.empty() || stopped_ ? severity::info : severity::warning,
               "broker-down", why.text());
  {
    std::lock_guard guard{state_mutex_};
    state_.trouble = why.text();
  }
  publish_state();
  for (auto& [index, x] : served_)
    get(x.actor).connection_over();
  for (auto& f : down_hooks_)
    call(f);
}

void bridge::impl::on_unreachable(const std::string& why) {
  hub_->report(observer::severity::warning, "broker-unreachable", why);
  {
    std::lock_guard guard{state_mutex_};
    state_.trouble = why;
  }
  publish_state();
}

void bridge::impl::on_refused(const std::string& what, const std::string& why) {
  hub_->report(observer::severity::error, "declaration-refused",
               what + ": " + why);
  {
    std::lock_guard guard{state_mutex_};
    state_.refusal = what + ": " + why;
  }
  publish_state();
}

void bridge::impl::on_forbidden(const std::string& where,
                                const amqp::condition& why) {
  hub_->report(observer::severity::error, "send-forbidden",
               where + ": " + why.text());
}

void bridge::impl::on_queue_refused(const std::string& queue,
                                    const amqp::condition& why) {
  hub_->report(observer::severity::error, "queue-refused",
               queue + ": " + why.text());
}

void bridge::impl::on_message(std::size_t receiver, std::uint64_t delivery,
                              std::string& bytes, hub::clock::time_point came) {
  if (receiver == reply_receiver_)
    return take_reply(delivery, bytes);
  publish_lease();
  const auto now = hub_->world.now();
  if (auto found = served_.find(receiver); found != served_.end())
    get(found->second.actor)
        .deliver(delivery, bytes, now,
                 {.in_pack = client_.in_pack(delivery), .waited = now - came});
  else
    client_.settle(delivery, outcome::released()); // nobody is here to do it
}

void bridge::impl::take_reply(std::uint64_t delivery, std::string_view bytes) {
  client_.settle(delivery, outcome::accepted());
  // As long as the connection takes: it was asked for.
  auto decoded =
      amqp::decode_message(bytes, {.message_bytes_max = bytes.size()});
  if (!decoded) {
    ++hub_->counters.undecodable;
    return;
  }
  if (is_control(decoded->type))
    return static_cast<void>(watching_.take(*decoded, std::nullopt));
  auto who = hub_->take_waiting(
      number_in_node(to_string(decoded->correlation_id), hub_->stream));
  if (!who) {
    ++hub_->counters.late_replies;
    return;
  }
  const auto is_request = who->kind == waiting_send::kind_type::request;
  if (decoded->type == "rookery.bridge.v1.Error") {
    hub_->counters.failed += is_request ? 0 : 1;
    return fail(*who, decode_error_reply(decoded->body()));
  }
  if (!is_request) {
    ++hub_->counters.done;
    if (who->stages.empty())
      return;
  }
  caf::message content;
  if (decoded->type != "rookery.bridge.v1.Done") {
    const auto* codec = hub_->types.find(decoded->type);
    if (codec == nullptr || !codec->decode(decoded->body(), content)) {
      hub_->counters.undecodable += is_request ? 0 : 1;
      return fail(
          *who, caf::make_error(errc::undecodable, std::string{decoded->type}));
    }
  }
  answer(std::move(*who), std::move(content));
}

void bridge::impl::on_outcome(std::size_t sender, amqp::outgoing&& what,
                              const outcome& how) {
  if (sender == control_sender_)
    return watching_.on_outcome(what, how);
  if (sender == reply_sender_) // perhaps of one that was sent again
    answers_left_at_ = hub_->world.now();
  hub_->ended(what);
  if (counted_by_stop(sender, what))
    return;
  using kind = outcome::kind_type;
  auto& count = hub_->counters;
  switch (how.kind) {
  case kind::accepted:
    ++count.accepted;
    if (what.ends_stored)
      static_cast<void>(hub_->take_waiting(what.waiting));
    return;
  case kind::released:
    ++count.released;
    return hub_->lost(what, errc::unroutable, "no queue takes it");
  case kind::rejected:
    ++count.rejected;
    return hub_->lost(what, errc::rejected,
                      amqp::condition{how.condition, how.description}.text());
  case kind::modified:
    ++count.modified;
    return hub_->lost(what, errc::failed, "not delivered");
  case kind::none:
    ++count.unknown;
    // A reply, which has a deadline, may still come.
    if (what.waiting == 0 || what.ends_stored)
      hub_->lost(what, errc::no_outcome, "settled without an outcome");
    return;
  }
}

void bridge::impl::on_expired(std::size_t sender, amqp::outgoing&& what,
                              bool sent) {
  hub_->ended(what);
  if (counted_by_stop(sender, what))
    return;
  ++hub_->counters.expired;
  if (sent)
    hub_->lost(what, errc::no_outcome,
               "its time was over before its outcome came");
  else
    hub_->lost(what, errc::expired, "its time was over before it was sent");
}

void bridge::impl::on_taken(std::size_t sender) {
  if (sender == reply_sender_)
    answers_left_at_ = hub_->world.now();
  if (hub_->spilled)
    hub_->spilled->turn();
  tell_ready();
}

void bridge::impl::hold_intake(hub::clock::time_point now) {
  const auto crowded = hub_->answers_wait();
  if (!crowded || !client_.consumes())
    answers_left_at_ = now;
  const auto hold = crowded && now - answers_left_at_ < hold_time;
  if (hold == std::exchange(holding_, hold))
    return;
  for (auto& [index, x] : served_)
    client_.hold_receiver(index, hold);
}

void bridge::impl::tell_ready() {
  if (!anybody_waits_)
    return;
  std::vector<room_waiter> ready; // told, and let go, without the lock
  {
    std::lock_guard guard{proxies_mutex_};
    auto waits = [this](const room_waiter& x) {
      const auto full = !x.to->queue->half_empty()
                        || (x.to->lane && hub_->spilled->waits(*x.to->lane));
      return !refusing_ && full && !mailbox_closed(x.who);
    };
    auto at = std::stable_partition(waiters_.begin(), waiters_.end(), waits);
    std::move(at, waiters_.end(), std::back_inserter(ready));
    waiters_.erase(at, waiters_.end());
    anybody_waits_ = !waiters_.empty();
  }
  for (const auto& x : ready)
    caf::anon_send(x.who, send_ready{x.to->name});
}

void bridge::impl::on_turn() {
  publish_lease();
  auto now = hub_->world.now();
  if (stopping_)
    give_back(now); // first: what that ends is still said
  hub_->settlements.take(batch_);
  for (const auto& x : batch_)
    if (x.early)
      client_.settle_early(x.delivery, x.result);
    else
      client_.settle(x.delivery, x.result);
  hold_intake(now);
  if (stopping_)
    go_on_stopping(now);
  watching_.turn();
  if (hub_->spilled)
    hub_->spilled->turn();
  tell_ready();
  if (now < next_check_)
    return;
  next_check_ = now + check_interval;
  client_.expire(now); // first: it knows more of what ends now
  hub_->expire_waiting(now);
  watching_.check(now, client_.came_up());
  check_served(now);
  publish_state();
}

void bridge::impl::check_served(hub::clock::time_point now) {
  if (!hub_->answers_wait()) // what they left has found room
    hub_->replies->remove_room(std::exchange(spare_room_, 0));
  for (auto i = served_.begin(); i != served_.end();) {
    auto& x = get(i->second.actor);
    if (x.check(now) || !client_.close_receiver(i->first)) {
      ++i;
      continue;
    }
    hub_->settlements.remove_window(x.settlements_max());
    spare_room_ += x.window();
    const auto declared = std::move(i->second.declared);
    i = served_.erase(i);
    for (const auto& each : declared)
      client_.undeclare(each); // the rest may come up by this
  }
}

// A stop that is late counts while the connection still lives.
bool bridge::impl::counted_by_stop(std::size_t sender,
                                   const amqp::outgoing& what) const {
  const auto kept_only = what.place != 0 && what.waiting == 0;
  return kept_ && sender != reply_sender_ && !kept_only;
}

std::size_t bridge::impl::keep_sends(std::size_t unfinished) {
  if (std::exchange(kept_, true))
    return unfinished;
  std::vector<std::pair<std::shared_ptr<spill_lane>, amqp::outgoing>> rest;
  std::size_t in_file = 0;
  std::uint64_t lost = 0; // of which nobody is told
  std::unique_lock guard{proxies_mutex_};
  const auto keep = [&](const destination& to, const amqp::outgoing& x) {
    if (x.in_file)
      ++in_file;
    else if (x.place != 0)
      rest.emplace_back(to.lane, x);
    else if (x.waiting == 0)
      ++lost;
  };
  client_.for_each_sent([&](const address& to, const amqp::outgoing& x) {
    keep(*destinations_.at(to), x);
  });
  // Not only those that the client has heard of.
  for (const auto& each : destinations_) {
    const auto& to = *each.second;
    to.queue->for_each([&](const amqp::outgoing& x) { keep(to, x); });
  }
  guard.unlock(); // the disk may be slow
  if (lost > 0) {
    hub_->counters.closed += lost;
    hub_->report(observer::severity::warning, "send-lost",
                 std::to_string(lost)
                     + " that nobody waits for had not ended when the bridge "
                       "stopped");
  }
  if (!hub_->spilled)
    return unfinished;
  const auto kept = in_file + rest.size();
  const auto failed = hub_->spilled->keep(std::move(rest));
  return unfinished - std::min(unfinished, kept) + failed;
}

bool bridge::impl::stops_soon(hub::clock::time_point now) const {
  return now + 2 * check_interval >= stopping_->deadline;
}

// Not before nothing more comes: what goes back would come here again.
void bridge::impl::give_back(hub::clock::time_point now) {
  if (stopping_->gives_back || !(client_.quiet() || stops_soon(now)))
    return;
  stopping_->gives_back = true;
  client_.give_back();
  for (const auto& [index, x] : served_)
    get(x.actor).give_back();
}

void bridge::impl::go_on_stopping(hub::clock::time_point now) {
  auto late = now >= stopping_->deadline;
  // Behind their last words, and while it can still be sent.
  const auto soon = stops_soon(now);
  if (!left_ && (unfinished() == 0 || soon)) {
    left_ = true;
    watching_.leave();
  }
  // Both at once: a handler that finishes may send its last words. Not only
  // while connected: the broker may come back in time.
  if (!stopping_->left
      && (late || (unfinished() == 0 && watching_.idle() && client_.quiet()))) {
    refuse_all(); // what would come now could not be sent, nor counted
    stopping_->left = unfinished();
    loop_->close();
  }
  if (!stopping_->left || (client_.connected() && !late))
    return;
  const auto given_up = keep_sends(*stopping_->left);
  auto over = *std::exchange(stopping_, std::nullopt);
  call([&] { over.done(given_up); });
}

} // namespace rookery::bridge
