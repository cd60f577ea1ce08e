#include "bridge/amqp/client.hpp"

#include <algorithm>
#include <utility>

namespace rookery::amqp {

namespace {

// A broker that takes no questions for so long may go on for hours.
constexpr std::chrono::seconds deaf_time{3};

// By then a broker has noticed that a connection is gone.
constexpr std::chrono::seconds doubt_time{60};

} // namespace

client::client(client_options options, client_handler& owner)
    : options_{std::move(options)},
      owner_{owner} {}

std::size_t client::add_sender(std::optional<bridge::address> to,
                               std::shared_ptr<outgoing_queue> queue) {
  auto index = senders_.size();
  senders_.push_back(std::make_unique<client_sender>(
      index, std::move(to), std::move(queue), options_.sending));
  return index;
}

std::size_t client::add_receiver(std::string queue, std::uint32_t window,
                                 std::optional<std::int32_t> priority) {
  const auto index = receivers_made_++;
  auto& x = receivers_[index] = std::make_unique<client_receiver>(
      index, std::move(queue), window, priority);
  up_ = false;
  if (ready())
    attach(*x, session_for_link());
  return index;
}

bool client::close_receiver(std::size_t index) {
  auto& x = receiver(index);
  x.close();
  if (!x.over())
    return false;
  receivers_.erase(index);
  return true;
}

void client::pause_receiver(std::size_t index) { receiver(index).pause(); }

void client::give_back() {
  for (auto& [index, x] : receivers_)
    if (x->paused())
      release_backlog(*x);
}

void client::hold_receiver(std::size_t index, bool on) {
  receiver(index).hold(on);
}

client_receiver& client::receiver(std::size_t index) {
  return *receivers_.at(index);
}

bool client::quiet() const {
  for (const auto& [index, x] : receivers_)
    if (x->paused() && !x->quiet())
      return false;
  return true;
}

void client::connect(engine& e) {
  engine_ = &e;
  heard_at_ = options_.now();
}

void client::settle(std::uint64_t delivery, const bridge::outcome& how) {
  auto found = deliveries_.take(delivery);
  if (!found)
    return;
  receiver(found->receiver).handed_back();
  if (found->pack != 0)
    part_ended(*found, how);
  else if (found->handle && in_time(options_.now()))
    found->handle.settle(how);
}

void client::settle_early(std::uint64_t delivery, const bridge::outcome& how) {
  auto found = deliveries_.take_handle(delivery);
  if (!found)
    return;
  if (found->pack != 0)
    part_ended(*found, how);
  else if (found->handle && in_time(options_.now()))
    found->handle.settle(how);
}

void client::flush(clock::time_point now) {
  if (!in_time(options_.now()) || !management_)
    return;
  for (auto& x : senders_) {
    if (x->attached())
      give_turn(*x);
    else if (may_attach(*x))
      bring_up(*x, now);
  }
  pump(now);
  for (auto& [index, x] : receivers_) {
    if (x->paused() && x->quiet())
      release_backlog(*x);
    hand_over(*x);
    x->top_up();
  }
}

void client::check(clock::time_point now) {
  if (!management_ || aborted_)
    return;
  declare_refused(now);
  return_later(now);
  if (!engine_->writing())
    excuse_unwritten(now);
  if (management_->waits_since(now - options_.sending.outcome_timeout))
    return abort({"rookery:answer-timeout",
                  "the broker's management gave no answer in time"});
  for (auto& x : senders_)
    if (x->overdue(now)) {
      x->was_overdue(now);
      return abort({"rookery:outcome-timeout",
                    "the broker gave no outcome for a message in time"});
    }
  for (auto& [index, x] : receivers_) {
    if (x->overdue(now))
      return abort({"rookery:answer-timeout",
                    "the broker attached no receiver in time"});
    x->refill();
  }
  if (ready())
    attach_suspect();
}

// A broker with too little memory or disk takes no transfers on any session
// until it has more; what we consume makes room there.
void client::excuse_unwritten(clock::time_point now) {
  management_->excuse_unwritten(now);
  for (auto& x : senders_)
    x->excuse_unwritten(now);
  if (came_up_ || !management_->unwritten())
    deaf_since_ = now;
  else if (now - deaf_since_ >= deaf_time)
    attach_known();
}

void client::expire(clock::time_point now) {
  for (auto& x : senders_) {
    x->expire(now);
    report_unsent(*x);
  }
}

std::size_t client::unfinished_sends() const {
  std::size_t result = 0;
  for (const auto& x : senders_)
    result += x->unfinished();
  return result + to_return_.size();
}

std::size_t client::unfinished_deliveries() const {
  auto result = deliveries_.size();
  for (const auto& [index, x] : receivers_)
    for (const auto& each : x->backlog)
      result +=
          each.pack == 0 ? 1 : packs_.find(each.pack)->parts.size() - each.next;
  return result;
}

void client::for_each_sent(
    const std::function<void(const bridge::address&, const outgoing&)>& f)
    const {
  for (const auto& x : senders_)
    if (const auto& to = x->to(); to && !x->returns)
      x->for_each_sent([&](const outgoing& item) { f(*to, item); });
}

// Where one was refused that was declared late, what was there before goes on,
// and what has nothing to do with declarations begins.
bool client::may_attach(const client_sender& x) const {
  if (ready() || (came_up_ && x.returns)) // who consumes a queue knows it
    return true;
  const auto answered = [](const auto& each) {
    const auto of = each.second.state;
    return of == progress::confirmed || of == progress::refused;
  };
  return came_up_ && (!x.to() || !declared_here(*x.to()))
         && std::all_of(declarations_.begin(), declarations_.end(), answered);
}

bool client::in_time(clock::time_point now) {
  if (engine_ == nullptr || aborted_)
    return false;
  const auto silence = now - heard_at_;
  if (!management_ || lease_.count() == 0 || silence <= lease_)
    return true;
  using std::chrono::milliseconds;
  const auto text = std::chrono::duration_cast<milliseconds>(silence).count();
  abort({"rookery:lease-lapsed",
         "nothing heard for " + std::to_string(text) + " ms"});
  return false;
}

std::optional<client::clock::time_point> client::lease_end() const {
  if (!management_ || aborted_)
    return std::nullopt;
  return lease_.count() == 0 ? clock::time_point::max() : heard_at_ + lease_;
}

void client::on_received() {
  // One look at the clock: this process may be stopped between two.
  const auto now = options_.now();
  if (in_time(now))
    heard_at_ = now;
}

void client::on_open(const peer_info& peer) {
  peer_ = peer;
  management_ =
      std::make_unique<management>(*engine_, *options_.profile, options_.now);
  deaf_since_ = options_.now();
  begin_lease();
  declare_missing();
}

void client::begin_lease() {
  const auto ours = options_.idle_timeout;
  const auto patience = peer_.idle_timeout * 2; // the broker's, with us
  lease_ = ours;
  if (ours.count() == 0 || patience.count() == 0)
    return;
  lease_ = std::min(ours, patience * 3 / 4);
  // An idle broker sends every quarter of ours: it is asked for half, and
  // brokers keep twice the pace. Half of that again may pass on the way.
  if (ours * 3 / 8 > lease_)
    abort({"rookery:idle-timeout-too-long",
           std::to_string(ours.count()) + " ms, with a broker that gives up a "
               + "silent client after " + std::to_string(patience.count())
               + " ms; at most " + std::to_string((lease_ * 8 / 3).count())});
}

void client::check_up() {
  if (up_ || !ready())
    return;
  for (const auto& [index, x] : receivers_)
    if (!x->attached() && !x->closed() && !x->refused())
      return;
  up_ = true;
  came_up_ = true;
  worked_ = true;
  owner_.on_up(peer_);
}

void client::abort(const condition& why) {
  if (engine_ != nullptr && !std::exchange(aborted_, true))
    engine_->abort(why);
}

void client::on_credit(link x) {
  if (aborted_)
    return;
  if (management_->owns(x))
    return management_->on_credit();
  if (auto* sender = sender_of(x))
    give_turn(*sender);
  pump(options_.now());
}

void client::on_message(link from, delivery d, std::string& bytes) {
  if (aborted_)
    return;
  if (management_->owns(from)) {
    if (!management_->on_message(d, bytes))
      abort({"amqp:decode-error",
             "an answer of the broker's management is malformed"});
    return;
  }
  auto* receiver = receiver_of(from);
  if (!receiver->has_credit())
    return abort({"amqp:link:transfer-limit-exceeded",
                  "the broker sent a message without credit"});
  receiver->delivered();
  take_in(*receiver, d, bytes);
}

void client::on_outcome(link from, std::uint64_t number,
                        const bridge::outcome& how) {
  auto* sender = sender_of(from);
  if (sender == nullptr)
    return; // management is pre-settled
  using kind = bridge::outcome::kind_type;
  if (how.kind == kind::released && sender->waits_for_takers(number)) {
    sender->not_taken();
  } else {
    sender->careful = sender->careful && how.kind != kind::accepted;
    auto all = std::move(ended_);
    sender->settle(number, all);
    for (auto& what : all) {
      sender->outcomes_came = true;
      ended(*sender, std::move(what), how);
    }
    all.clear();
    ended_ = std::move(all);
  }
  if (sender->to_try_later())
    try_later(*sender);
}

void client::ended(client_sender& x, outgoing&& what,
                   const bridge::outcome& how) {
  if (x.returns)
    return returned(std::move(what), how);
  owner_.on_outcome(x.index(), std::move(what), how);
}

void client::on_dispatched() {
  if (!management_ || aborted_)
    return;
  // Where outcomes made room, more can go; nobody else would notice.
  for (auto& x : senders_)
    if (std::exchange(x->outcomes_came, false) && x->attached())
      give_turn(*x);
  pump(options_.now());
}

void client::on_written(std::size_t count, bool drained) {
  const auto left =
      drained ? 0 : output_bytes_ - std::min(output_bytes_, count);
  // What was written need not be what was sent: that may wait for a window.
  output_bytes_ = std::max(left, engine_->unwritten_bytes());
  if (management_ && !aborted_ && output_bytes_ <= output_bytes_max / 2)
    pump(options_.now());
}

void client::on_withdrawn(link, delivery d) {
  for (auto& [index, x] : receivers_)
    forget_backlog(*x, [d](const delivery& each) { return each == d; });
  deliveries_.forget_handle(d);
  packs_.forget_handle(d);
}

void client::on_closed(const condition& why) {
  engine_ = nullptr;
  management_.reset();
  confirmed_ = 0;
  for (auto& [number, x] : declarations_) {
    if (x.state == progress::asked)
      x.doubtful_until = options_.now() + doubt_time;
    x.state = progress::missing;
  }
  refused_ = refusal_told_ = false;
  aborted_ = false;
  up_ = false;
  if (std::exchange(guessed_, false) && !came_up_)
    for (auto& [number, x] : declarations_)
      x.known = false; // perhaps that was wrong
  came_up_ = false;
  sessions_.clear();
  unasked_links_ = 0;
  found_exchanges_.clear();
  to_probe_.clear();
  probed_ = nullptr;
  probe_session_ = {};
  probe_link_ = {};
  output_bytes_ = 0;
  turns_.clear();
  for (auto& x : senders_) {
    x->link_lost();
    x->in_turn = false;
    x->retry_at = x->left_alone_until();
  }
  for (auto& [index, x] : receivers_) {
    x->link_lost();
    x->retry_at = {};
  }
  deliveries_.forget_handles();
  forget_packs();
  owner_.on_down(why);
}

} // namespace rookery::amqp
