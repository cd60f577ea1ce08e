#include "bridge/amqp/client.hpp"

#include <utility>

namespace rookery::amqp {

namespace {

// How long a missing queue is taken to be missing.
constexpr std::chrono::milliseconds missing_time{250};

bool good(int status) { return status >= 200 && status < 300; }

bool is_exclusive(const bridge::declaration& x) {
  const auto* queue = std::get_if<bridge::queue_declaration>(&x);
  return queue != nullptr && queue->exclusive;
}

} // namespace

client::client(client_options options, client_handler& owner)
    : options_{std::move(options)},
      owner_{owner} {}

void client::declare(bridge::declaration what) {
  declarations_.push_back(std::move(what));
  up_ = false;
  declare_next();
}

std::size_t client::add_sender(std::optional<bridge::address> to,
                               std::shared_ptr<outgoing_queue> queue) {
  auto index = senders_.size();
  senders_.push_back(std::make_unique<client_sender>(
      index, std::move(to), std::move(queue), options_.in_flight_max,
      options_.outcome_timeout));
  return index;
}

std::size_t client::add_receiver(std::string queue, std::uint32_t window,
                                 std::optional<std::int32_t> priority) {
  auto index = receivers_.size();
  receivers_.push_back(std::make_unique<client_receiver>(
      index, std::move(queue), window, priority));
  up_ = false;
  if (ready())
    attach(*receivers_.back());
  return index;
}

void client::close_receiver(std::size_t index) { receivers_[index]->close(); }

void client::pause_receiver(std::size_t index) { receivers_[index]->pause(); }

bool client::quiet() const {
  for (const auto& x : receivers_)
    if (x->paused() && !x->quiet())
      return false;
  return true;
}

void client::connect(engine& e) { engine_ = &e; }

void client::settle(std::uint64_t delivery, const bridge::outcome& how) {
  auto found = deliveries_.take(delivery);
  if (!found)
    return;
  receivers_[found->receiver]->finished();
  if (found->handle)
    found->handle.settle(how);
}

void client::flush(clock::time_point now) {
  if (!ready())
    return;
  for (auto& x : senders_) {
    using state = client_sender::state_type;
    if (x->state == state::missing && x->wants_link()) {
      if (now < x->retry_at)
        give_up(*x);
      else
        ask_for(*x);
    } else if (x->state == state::down && x->wants_link()) {
      attach(*x);
    }
    sent_ += x->pump(now);
  }
  for (auto& x : receivers_)
    x->top_up();
}

void client::check(clock::time_point now) {
  if (engine_ == nullptr)
    return;
  for (auto& x : senders_)
    if (x->overdue(now))
      return abort({"rookery:outcome-timeout",
                    "the broker gave no outcome for a message in time"});
  for (auto& x : receivers_)
    x->refill_idle();
}

std::size_t client::unfinished_sends() const {
  std::size_t result = 0;
  for (const auto& x : senders_)
    result += x->unfinished();
  return result;
}

bool client::ready() const {
  return management_ && declared_ == declarations_.size() && !refused_;
}

void client::on_open(const peer_info& peer) {
  peer_ = peer;
  management_ = std::make_unique<management>(*engine_, *options_.profile);
  declare_next();
}

void client::declare_next() {
  if (!management_ || declaring_ || refused_)
    return;
  if (declared_ == declarations_.size())
    return attach_receivers();
  declaring_ = true;
  const auto& what = declarations_[declared_];
  management_->declare(what, [this](int status, std::string reason) {
    declaring_ = false;
    const auto& asked = declarations_[declared_];
    if (good(status)) {
      ++declared_;
      return declare_next();
    }
    auto text = "status " + std::to_string(status)
                + (reason.empty() ? "" : ": " + reason);
    // The broker may not have noticed yet that our last connection is gone.
    if (is_exclusive(asked))
      return abort({"amqp:resource-locked", to_string(asked) + ": " + text});
    refused_ = true;
    owner_.on_refused(to_string(asked), text);
  });
}

void client::attach_receivers() {
  for (auto& x : receivers_)
    if (!x->attached() && !x->closed())
      attach(*x);
  check_up();
}

session client::session_for_link() {
  if (!session_ || session_links_ >= options_.profile->links_per_session_max) {
    session_ = engine_->open_session();
    session_links_ = 0;
  }
  ++session_links_;
  return session_;
}

void client::attach(client_receiver& x) {
  auto name = options_.name + ".in." + std::to_string(x.index());
  auto l = engine_->make_receiver(session_for_link(), name);
  l.set_context(&x);
  link_terms terms;
  terms.source = options_.profile->encode(bridge::address::queue(x.queue()));
  terms.target = name;
  terms.priority = x.priority();
  l.open(terms);
}

void client::attach(client_sender& x) {
  using kind = bridge::address::kind_type;
  if (x.to() && x.to()->kind() == kind::queue && !declared_here(x.to()->name())
      && x.state != client_sender::state_type::asking)
    return ask_for(x);
  x.state = client_sender::state_type::attaching;
  auto name = options_.name + ".out." + std::to_string(x.index());
  auto l = engine_->make_sender(session_for_link(), name);
  l.set_context(&x);
  link_terms terms;
  terms.source = name;
  if (x.to())
    terms.target = options_.profile->encode(*x.to());
  l.open(terms);
}

void client::ask_for(client_sender& x) {
  x.state = client_sender::state_type::asking;
  management_->find_queue(x.to()->name(), [this, &x](int status, std::string) {
    if (good(status))
      attach(x);
    else
      missing(x);
  });
}

void client::missing(client_sender& x) {
  x.state = client_sender::state_type::missing;
  x.retry_at = clock::now() + missing_time;
  give_up(x);
}

void client::give_up(client_sender& x) {
  for (auto& item : x.give_up_all())
    owner_.on_outcome(x.index(), std::move(item), bridge::outcome::released());
}

bool client::declared_here(const std::string& queue) const {
  for (const auto& x : declarations_)
    if (const auto* declared = std::get_if<bridge::queue_declaration>(&x);
        declared != nullptr && declared->name == queue)
      return true;
  return false;
}

void client::check_up() {
  if (up_ || !ready())
    return;
  for (const auto& x : receivers_)
    if (!x->attached() && !x->closed())
      return;
  up_ = true;
  owner_.on_up(peer_);
}

void client::abort(const condition& why) {
  if (engine_ != nullptr)
    engine_->abort(why);
}

client_sender* client::sender_of(link x) {
  return x.is_sender() ? static_cast<client_sender*>(x.context()) : nullptr;
}

client_receiver* client::receiver_of(link x) {
  return x.is_sender() ? nullptr : static_cast<client_receiver*>(x.context());
}

void client::on_session_closed(session, const condition& why) {
  abort(why.empty() ? condition{"amqp:session-ended", "by the broker"} : why);
}

void client::on_link_open(link x, bool ours) {
  if (!ours)
    return x.refuse({"amqp:not-implemented", "this end takes no links"});
  if (management_->owns(x))
    return;
  if (auto* receiver = receiver_of(x)) {
    receiver->link_up(x);
    check_up();
  } else if (auto* sender = sender_of(x)) {
    sender->link_up(x);
  }
}

void client::on_link_closed(link x, const condition& why) {
  if (auto* receiver = receiver_of(x); receiver && !management_->owns(x)) {
    receiver->link_lost();
    if (receiver->closed())
      return;
  } else if (auto* sender = sender_of(x); sender && !management_->owns(x)) {
    return sender->link_lost();
  }
  abort(why.empty() ? condition{"amqp:link:detach-forced", "by the broker"}
                    : why);
}

void client::on_credit(link x) {
  if (management_->owns(x))
    return management_->on_credit();
  if (auto* sender = sender_of(x))
    sent_ += sender->pump(clock::now());
}

void client::on_message(link from, delivery d, std::string& bytes) {
  if (management_->owns(from))
    return management_->on_message(d, bytes);
  auto* receiver = receiver_of(from);
  if (!receiver->has_credit())
    return abort({"amqp:link:transfer-limit-exceeded",
                  "the broker sent a message without credit"});
  receiver->delivered();
  owner_.on_message(receiver->index(), deliveries_.add(d, receiver->index()),
                    bytes);
}

void client::on_outcome(link from, std::uint64_t number,
                        const bridge::outcome& how) {
  auto* sender = sender_of(from);
  if (sender == nullptr)
    return; // management is pre-settled
  if (auto what = sender->settle(number))
    owner_.on_outcome(sender->index(), std::move(*what), how);
}

void client::on_withdrawn(link, delivery d) { deliveries_.forget_handle(d); }

void client::on_closed(const condition& why) {
  engine_ = nullptr;
  management_.reset();
  declared_ = 0;
  declaring_ = false;
  refused_ = false;
  up_ = false;
  session_ = {};
  for (auto& x : senders_)
    x->link_lost();
  for (auto& x : receivers_)
    x->link_lost();
  deliveries_.forget_handles();
  owner_.on_down(why);
}

} // namespace rookery::amqp
