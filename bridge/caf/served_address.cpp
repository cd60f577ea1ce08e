#include "bridge/caf/served_address.hpp"

#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/core/stream_id.hpp"

#include <caf/actor_cast.hpp>
#include <caf/mailbox_element.hpp>

#include <algorithm>
#include <iterator>

namespace rookery::bridge {

namespace {

// A target that lived so long was well: the next backoff begins anew.
constexpr std::chrono::seconds well_time{30};

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

served_address::served_address(caf::actor_config& config,
                               std::shared_ptr<hub> home, std::string name,
                               serve_options options, caf::actor target,
                               factory make)
    : caf::actor_proxy{config},
      hub_{std::move(home)},
      name_{std::move(name)},
      options_{std::move(options)},
      make_{std::move(make)},
      restart_{backoff_options{}, hub_->world.random},
      target_{std::move(target)},
      streams_{options_.dedupe_streams_max, options_.dedupe_window} {}

void served_address::kill_proxy(caf::execution_unit* context,
                                caf::error reason) {
  cleanup(std::move(reason), context);
}

void served_address::start() {
  if (make_)
    make_target();
  else
    watch(target_);
}

void served_address::make_target() {
  caf::actor target;
  std::string why = "the factory made none";
  try {
    target = make_();
  } catch (const std::exception& x) {
    why = x.what();
  } catch (...) {
    why = "an exception of unknown type";
  }
  std::vector<waiting> ready;
  {
    std::lock_guard guard{mutex_};
    made_at_ = hub_->world.now();
    made_for_ = hub_->lease.connection();
    target_ = target;
    if (target)
      ready.swap(waiting_);
    else
      restart_at_ = made_at_ + restart_.next();
  }
  if (!target)
    return hub_->report(observer::severity::error, "factory-failed",
                        name_ + ": " + why);
  watch(target);
  for (auto& x : ready)
    hand_over_waiting(target, std::move(x));
}

void served_address::hand_over_waiting(const caf::actor& target, waiting x) {
  std::optional<unfinished> stale;
  {
    std::lock_guard guard{mutex_};
    auto* found = find(x.delivery);
    if (found == nullptr)
      return; // took too long, or the target is down already
    if (!hub_->lease_held(found->connection))
      stale = std::exchange(*found, {});
  }
  if (stale)
    return give_up(*stale);
  hand_over(target, x.delivery, std::move(x.content));
}

served_address::unfinished* served_address::find(std::uint64_t delivery) {
  auto index = static_cast<std::uint32_t>(delivery);
  if (delivery == 0 || index >= unfinished_.size()
      || unfinished_[index].delivery != delivery)
    return nullptr;
  return &unfinished_[index];
}

void served_address::add(unfinished x) {
  auto index = static_cast<std::uint32_t>(x.delivery);
  if (index >= unfinished_.size())
    unfinished_.resize(std::size_t{index} + 1);
  unfinished_[index] = std::move(x);
}

void served_address::watch(const caf::actor& target) {
  target->attach_functor(
      [this, self = caf::strong_actor_ptr{ctrl()}](const caf::error& reason) {
        on_target_down(reason);
      });
}

void served_address::release() {
  // Ends outside the lock: dropping the last handle ends the target, which
  // reports to on_target_down.
  caf::actor last;
  {
    std::lock_guard guard{mutex_};
    std::swap(last, target_);
    make_ = nullptr;
    gone_ = true;
  }
}

void served_address::on_target_down(const caf::error& reason) {
  std::vector<unfinished> lost;
  bool outlived = false; // its connection: that is no failure
  const auto asked = reason == caf::exit_reason::user_shutdown; // nor is that
  std::vector<waiting> nobody; // ends outside the lock
  caf::actor last;             // as well
  {
    std::lock_guard guard{mutex_};
    std::swap(last, target_);
    nobody.swap(waiting_);
    gone_ = gone_ || !make_;
    auto now = hub_->world.now();
    outlived = made_for_ != hub_->lease.connection();
    if (outlived || now - made_at_ > well_time)
      restart_.reset();
    restart_at_ = outlived ? now : now + restart_.next();
    for (auto& x : unfinished_)
      if (x.delivery != 0)
        lost.push_back(std::exchange(x, {}));
    joined_ = 0;
  }
  using severity = observer::severity;
  hub_->report(outlived || asked ? severity::debug : severity::warning,
               "target-down", name_ + ": " + hub_->system.render(reason));
  for (const auto& x : lost) {
    ++hub_->counters.failed;
    end(x, outcome::failure());
  }
}

void served_address::connection_over() {
  std::lock_guard guard{mutex_};
  if (target_ || !make_)
    return;
  // It may have ended because nothing was heard of this connection any more.
  restart_.reset();
  restart_at_ = hub_->world.now();
}

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
  if (codec == nullptr)
    return refuse(delivery, head, errc::unknown_type, "amqp:not-implemented",
                  "unknown message type \"" + std::string{head.type} + '"');
  caf::message content;
  if (!is_plain(head.content_encoding) || !codec->decode(head.body(), content))
    return refuse(delivery, head, errc::undecodable, "amqp:decode-error",
                  "the body is not a " + codec->name);
  auto x = make_unfinished(delivery, head);
  x.deadline = now + options_.handler_timeout;
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

void served_address::hand_over(const caf::actor& target, std::uint64_t delivery,
                               caf::message content) {
  // The delivery's number is the request's id: it has at most 60 bits.
  target->enqueue(caf::make_mailbox_element(caf::strong_actor_ptr{ctrl()},
                                            caf::make_message_id(delivery), {},
                                            std::move(content)),
                  nullptr);
}

bool served_address::check(clock::time_point now) {
  std::vector<unfinished> overdue;
  std::vector<waiting> nobody; // ends outside the lock
  bool restart = false;
  {
    std::lock_guard guard{mutex_};
    if (gone_)
      return false;
    for (auto& x : unfinished_)
      if (x.delivery != 0 && x.deadline <= now)
        overdue.push_back(std::exchange(x, {}));
    restart = !target_ && restart_at_ <= now;
    if (!overdue.empty()) {
      auto ended = std::stable_partition(
          waiting_.begin(), waiting_.end(),
          [this](const waiting& x) { return find(x.delivery) != nullptr; });
      std::move(ended, waiting_.end(), std::back_inserter(nobody));
      waiting_.erase(ended, waiting_.end());
    }
  }
  for (const auto& x : overdue) {
    ++hub_->counters.failed;
    hub_->report(observer::severity::warning, "handler-timeout", name_);
    end(x, outcome::failure());
  }
  if (restart)
    make_target();
  return true;
}

} // namespace rookery::bridge
