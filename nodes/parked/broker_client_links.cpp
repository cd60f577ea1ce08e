// The links of a broker_client: what it takes, and what it sends.
#include "bridge/profiles/rabbitmq4.hpp"
#include "nodes/parked/broker_client.hpp"
#include "nodes/parked/broker_wait.hpp"

#include <algorithm>
#include <utility>

namespace rookery::nodes {

using bridge::unexpected;

fault broker_client::attach(link_state& x, bool sender,
                            const std::string& queue) {
  auto& engine = connection_->engine();
  const auto name = std::string{sender ? "out." : "in."} + queue;
  x.self = sender ? engine.make_sender(session_, name)
                  : engine.make_receiver(session_, name);
  x.self.set_context(&x);
  const auto address =
      bridge::rabbitmq4().encode(bridge::address::queue(queue));
  amqp::link_terms terms;
  terms.source = sender ? name : address;
  terms.target = sender ? address : name;
  x.self.open(terms);
  if (auto why = wait("attach", [&] { return x.attached || x.lost; }))
    return why;
  if (x.lost)
    return "queue \"" + queue + "\": " + x.lost->text();
  return std::nullopt;
}

fault broker_client::consume(const std::string& queue) {
  return attach(source_, false, queue);
}

bridge::expected<std::vector<broker_client::taken>, std::string>
broker_client::take(std::uint32_t count_max) {
  if (auto why = source_fault())
    return unexpected{*why};
  const auto all = [this] {
    return source_.lost || !source_.self || source_.self.credit() == 0;
  };
  // What the broker does not use it gives back: that is how it says that there
  // is no more.
  wanted_ = count_max;
  source_.self.drain(count_max);
  auto seen = arrivals_;
  while (!all()) {
    if (auto why = wait("messages", [&] { return all() || arrivals_ > seen; }))
      return unexpected{*why};
    seen = arrivals_; // as long as they come the time begins anew
  }
  if (auto why = source_fault())
    return unexpected{*why};
  return std::exchange(arrived_, {});
}

fault broker_client::source_fault() const {
  if (over_)
    return "the connection to the broker ended (" + over_->text() + ")";
  if (source_.lost || !source_.self)
    return "the queue was lost ("
           + (source_.lost ? source_.lost->text() : std::string{}) + ")";
  return std::nullopt;
}

bool broker_client::settle(std::uint64_t number, const bridge::outcome& how) {
  const auto found = held_.find(number);
  if (found == held_.end())
    return false;
  found->second.settle(how);
  held_.erase(found);
  return true;
}

void broker_client::give_back() {
  // Not released: from a quorum queue that would put them at its end.
  for (auto& [number, each] : held_)
    each.settle({.kind = bridge::outcome::kind_type::modified});
  held_.clear();
}

fault broker_client::open_target(const std::string& queue) {
  auto [place, made] = targets_.try_emplace(queue);
  auto& target = place->second;
  if (made) {
    // Attaching to a queue that is missing would end the session.
    if (auto there = count(queue); !there)
      target.missing = there.error();
    else
      target.missing = attach(target, true, queue);
  }
  return target.missing;
}

fault broker_client::send(const std::string& queue, std::uint64_t number,
                          std::string_view bytes) {
  auto& x = targets_.at(queue);
  const auto ready = [&] { return x.lost || !x.self || x.self.credit() > 0; };
  if (auto why = wait("credit of queue \"" + queue + "\"", ready)) {
    x.missing = why; // what else goes there is not to wait as long
    return why;
  }
  if (over_)
    return "the connection to the broker ended (" + over_->text() + ")";
  if (x.lost || !x.self)
    return "queue \"" + queue + "\" was lost ("
           + (x.lost ? x.lost->text() : std::string{}) + ")";
  x.self.send(number, bytes, {}, false);
  return std::nullopt;
}

bridge::expected<bridge::outcome, std::string>
broker_client::outcome_of(const std::string& queue, std::uint64_t number) {
  auto& x = targets_.at(queue);
  const auto said = [&] { return x.lost || outcomes_.contains(number); };
  fault late = x.missing;
  if (!late)
    late = x.missing = wait("outcome of queue \"" + queue + "\"", said);
  // What came before the connection ended, or while others were late, counts.
  if (auto found = outcomes_.extract(number))
    return std::move(found.mapped());
  if (late)
    return unexpected{*late};
  return unexpected{"queue \"" + queue + "\" was lost (" + x.lost->text()
                    + ")"};
}

void broker_client::on_session_closed(amqp::session,
                                      const amqp::condition& why) {
  ended(why);
}

void broker_client::on_link_open(amqp::link x, bool ours) {
  if (!ours)
    return x.refuse({"amqp:not-implemented", "this end takes no links"});
  if (management_->owns(x))
    return;
  const auto terms = x.remote_terms();
  // Without what we asked for it is a refusal: a detach follows.
  static_cast<link_state*>(x.context())->attached =
      (x.is_sender() ? terms.target : terms.source).has_value();
}

void broker_client::on_link_closed(amqp::link x, const amqp::condition& why) {
  if (management_->owns(x))
    return management_->links_lost();
  auto* mine = static_cast<link_state*>(x.context());
  if (mine == nullptr)
    return; // theirs, which was refused
  mine->lost = why;
  mine->self = {};
  if (mine == &source_)
    held_.clear();
}

void broker_client::on_credit(amqp::link x) {
  if (management_->owns(x))
    management_->on_credit();
}

void broker_client::on_message(amqp::link x, amqp::delivery d,
                               std::string& bytes) {
  auto& engine = connection_->engine();
  if (management_->owns(x)) {
    if (!management_->on_message(d, bytes))
      engine.abort({"amqp:decode-error",
                    "an answer of the broker's management is malformed"});
    return;
  }
  if (arrived_.size() >= wanted_)
    return engine.abort({"amqp:link:transfer-limit-exceeded",
                         "the broker sent a message without credit"});
  held_.emplace(++arrivals_, d);
  arrived_.push_back({arrivals_, std::move(bytes)});
}

void broker_client::on_outcome(amqp::link, std::uint64_t number,
                               const bridge::outcome& how) {
  outcomes_.insert_or_assign(number, how);
}

void broker_client::on_withdrawn(amqp::link, amqp::delivery d) {
  std::erase_if(held_, [=](const auto& x) { return x.second == d; });
}

} // namespace rookery::nodes
