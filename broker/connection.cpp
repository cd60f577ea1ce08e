#include "broker/connection.hpp"

#include "bridge/amqp/unwritten.hpp"
#include "broker/attach.hpp"
#include "broker/dispatcher.hpp"

#include <algorithm>
#include <utility>

namespace rookery::broker {

namespace {

endpoint* endpoint_of(amqp::link x) {
  return static_cast<endpoint*>(x.context());
}

session_state* state_of(amqp::session x) {
  return static_cast<session_state*>(x.context());
}

} // namespace

connection::connection(dispatcher& shared, connection_id id, output& out,
                       amqp::condition refusal)
    : shared_{shared},
      id_{id},
      out_{out},
      refusal_{std::move(refusal)} {
  shared_.add(*this);
}

connection::~connection() {
  release();
  shared_.remove(*this);
}

/// Gives back to the queues what this connection has of them.
void connection::release() {
  // What ends by it may end links, and none of these.
  going_ = true;
  const auto ended = std::exchange(sessions_, {});
  for (const auto& session : ended)
    while (!session->endpoints.empty()) {
      auto last = std::move(session->endpoints.back());
      session->endpoints.pop_back();
      last->on_closed(detach_reason::failed);
    }
  if (std::exchange(owns_queues_, false))
    for (const auto& gone : shared_.host.connection_closed(id_))
      shared_.queue_deleted(gone, {});
}

void connection::close(const amqp::condition& why) {
  // Who has not opened it may never answer a CLOSE, nor can be sent one.
  if (engine_->opened())
    engine_->close(why);
  else
    engine_->abort(why);
  shared_.touch(*this);
}

void connection::end_session(const endpoint& where,
                             const amqp::condition& why) {
  auto* which = state_of(where.link().session());
  ++shared_.counters.sessions_ended;
  shared_.sink.session_ended(id_, where.link().name(), why.text());
  end_session(*which, why);
}

void connection::end_session(session_state& which, const amqp::condition& why) {
  which.ending = true;
  while (!which.endpoints.empty())
    remove(*which.endpoints.back(), detach_reason::failed);
  which.self.close(why);
  shared_.touch(*this);
}

void connection::end_link(endpoint& which, const amqp::condition& why) {
  auto self = which.link();
  remove(which, detach_reason::closed);
  self.close(why);
  shared_.touch(*this);
}

/// Takes an endpoint from its link and destroys it.
void connection::remove(endpoint& which, detach_reason why) {
  auto self = which.link();
  auto* where = state_of(self.session());
  self.set_context(nullptr);
  which.on_closed(why);
  auto& all = where->endpoints;
  const auto place = std::find_if(
      all.begin(), all.end(), [&](const auto& x) { return x.get() == &which; });
  // Order matters to nobody.
  std::swap(*place, all.back());
  all.pop_back();
}

void connection::sent(std::size_t bytes) {
  output_bytes_ += bytes + amqp::transfer_overhead_bytes;
  if (output_bytes_ < shared_.options.output_bytes_max
      || std::exchange(full_, true))
    return;
  for (const auto& session : sessions_)
    for (const auto& each : session->endpoints)
      each->on_full();
}

void connection::on_open(const amqp::peer_info& peer) {
  if (!refusal_.empty())
    return close(refusal_);
  ++shared_.counters.connections_opened;
  opened_ = true;
  peer_ = peer.container_id;
  shared_.sink.connection_opened(id_, peer_);
}

void connection::on_session_open(amqp::session s) {
  auto state = std::make_unique<session_state>();
  state->self = s;
  s.set_context(state.get());
  s.open();
  sessions_.push_back(std::move(state));
}

void connection::on_session_closed(amqp::session s, const amqp::condition&) {
  auto* which = state_of(s);
  std::erase_if(sessions_, [&](const auto& x) { return x.get() == which; });
}

void connection::on_link_open(amqp::link x, bool) {
  auto* where = state_of(x.session());
  if (where == nullptr)
    return;
  const auto max = shared_.options.links_per_session_max;
  ++where->link_count;
  if (where->ending) {
    // Some may have been under way; a client that goes on is no client, and
    // would not heed a CLOSE.
    if (where->link_count > 2 * max)
      engine_->abort(
          {"amqp:not-allowed", "attaches on a session that was ended"});
    return;
  }
  std::optional<amqp::condition> refused;
  if (where->link_count > max)
    refused = {"amqp:connection:framing-error",
               "more than " + std::to_string(max) + " links on one session"};
  else
    refused = attach(*this, *where, x);
  if (!refused)
    return;
  ++shared_.counters.attaches_refused;
  shared_.sink.attach_refused(id_, x.name(), refused->text());
  end_session(*where, *refused);
}

void connection::on_link_closed(amqp::link x, const amqp::condition&) {
  // What came behind our CLOSE was not counted; behind our END none is given.
  if (auto* where = state_of(x.session());
      where && !where->ending && where->link_count > 0)
    --where->link_count;
  if (auto* which = endpoint_of(x))
    remove(*which, x.went_with_session() ? detach_reason::failed
                                         : detach_reason::closed);
}

void connection::on_credit(amqp::link x) {
  if (auto* which = endpoint_of(x))
    which->on_credit();
}

void connection::on_message(amqp::link x, amqp::delivery d,
                            std::string& bytes) {
  if (auto* which = endpoint_of(x))
    which->on_message(d, bytes);
  else if (auto* where = state_of(x.session()); !where || !where->ending)
    d.settle(bridge::outcome::released()); // its link is ended: nobody is there
  // What comes behind our END has no outcome, and is sent again. Without one
  // Proton keeps it; of a client that goes on, as much as one message may have.
  else if ((where->ignored_bytes +=
            bytes.size() + amqp::transfer_overhead_bytes)
           > shared_.options.message_bytes_max)
    d.settle({});
}

void connection::on_outcome(amqp::link x, std::uint64_t number,
                            const bridge::outcome& how) {
  if (auto* which = endpoint_of(x))
    which->on_outcome(number, how);
}

void connection::on_dispatched() {
  if (!shared_.turn_due())
    return;
  // What this made for others goes out before what it made for its origin, and
  // all of it at once.
  shared_.touch(*this);
  out_.hold();
}

void connection::on_written(std::size_t count, bool drained) {
  const auto left =
      drained ? 0
              : output_bytes_ - std::min<std::uint64_t>(output_bytes_, count);
  // What was written need not be what was sent: that may wait for a window.
  output_bytes_ = std::max<std::uint64_t>(left, engine_->unwritten_bytes());
  if (output_bytes_ > shared_.options.output_bytes_max / 2)
    return;
  if (!std::exchange(full_, false))
    return;
  for (const auto& session : sessions_)
    for (const auto& each : session->endpoints)
      each->on_room();
}

void connection::on_closed(const amqp::condition& why) {
  release();
  shared_.wake();
  if (opened_)
    shared_.sink.connection_closed(id_, why.empty() ? "" : why.text());
  else if (!why.empty())
    shared_.sink.connection_refused(why.text());
  if (on_gone)
    on_gone();
}

} // namespace rookery::broker
