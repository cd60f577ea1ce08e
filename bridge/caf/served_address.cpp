#include "bridge/caf/served_address.hpp"

#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/caf/encoding.hpp"
#include "bridge/caf/plain_text.hpp"

#include "rookery/bridge/v1/control.pb.h"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/sec.hpp>

#include <algorithm>
#include <iterator>

namespace rookery::bridge {

namespace {

// A target that lived so long was well: the next backoff begins anew.
constexpr std::chrono::seconds well_time{30};

// What an answer refers to. A request without a message-id often has its
// identity in the correlation-id: older clients ask like that.
const amqp::id_view& identity(const amqp::envelope_view& head) {
  return head.message_id.present ? head.message_id : head.correlation_id;
}

// Whether the body is as it was encoded; "identity" says so expressly.
bool is_plain(std::string_view content_encoding) {
  return content_encoding.empty() || content_encoding == "identity";
}

// Whether the runtime, not the handler, says that no answer will come.
bool is_target_failure(const caf::error& x) {
  return x.category() == caf::atom("exit") || x == caf::sec::runtime_error
         || x == caf::sec::request_receiver_down;
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
      target_{std::move(target)} {}

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
  for (auto& x : ready) {
    {
      std::lock_guard guard{mutex_};
      if (find(x.delivery) == nullptr)
        continue; // took too long, or the target is down already
    }
    hand_over(target, x.delivery, std::move(x.content));
  }
}

served_address::unfinished* served_address::find(std::uint64_t delivery) {
  auto index = static_cast<std::uint32_t>(delivery);
  if (delivery == 0 || index >= unfinished_.size()
      || unfinished_[index].delivery != delivery)
    return nullptr;
  return &unfinished_[index];
}

served_address::unfinished& served_address::add(std::uint64_t delivery) {
  auto index = static_cast<std::uint32_t>(delivery);
  if (index >= unfinished_.size())
    unfinished_.resize(std::size_t{index} + 1);
  unfinished_[index] = {};
  unfinished_[index].delivery = delivery;
  return unfinished_[index];
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
  std::vector<std::uint64_t> lost;
  std::vector<waiting> nobody; // ends outside the lock
  caf::actor last;             // as well
  {
    std::lock_guard guard{mutex_};
    std::swap(last, target_);
    nobody.swap(waiting_);
    gone_ = gone_ || !make_;
    auto now = hub_->world.now();
    if (now - made_at_ > well_time)
      restart_.reset();
    restart_at_ = now + restart_.next();
    for (auto& x : unfinished_)
      if (x.delivery != 0)
        lost.push_back(std::exchange(x.delivery, 0));
  }
  hub_->report(observer::severity::warning, "target-down",
               name_ + ": " + hub_->system.render(reason));
  for (auto delivery : lost) {
    ++hub_->counters.failed;
    hub_->settle(delivery, outcome::failure());
  }
}

void served_address::deliver(std::uint64_t delivery, std::string_view bytes,
                             clock::time_point now) {
  ++hub_->counters.received;
  try {
    decode(delivery, bytes, now);
  } catch (const std::exception& x) {
    // Out of memory, say. Without an end it would cost credit for ever.
    static_cast<void>(take(delivery));
    ++hub_->counters.failed;
    hub_->report(observer::severity::error, "delivery-failed",
                 name_ + ": " + x.what());
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
  if (options_.attempts_max > 0 && head.delivery_count >= options_.attempts_max)
    return refuse(delivery, head, errc::failed, "amqp:internal-error",
                  "failed " + std::to_string(head.delivery_count) + " times");
  caf::actor target;
  {
    std::lock_guard guard{mutex_};
    target = target_;
    if (!gone_) {
      auto& x = add(delivery);
      x.deadline = now + options_.handler_timeout;
      if (!head.reply_to.empty()) {
        x.reply_to = head.reply_to;
        x.correlation_id = to_string(identity(head));
        x.correlation_kind = identity(head).kind;
      }
      if (!target)
        return waiting_.push_back({delivery, std::move(content)});
    }
  }
  if (!target) // gone for good: somebody else may take it
    return hub_->settle(delivery, outcome::released());
  hand_over(target, delivery, std::move(content));
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
  std::vector<std::uint64_t> overdue;
  std::vector<waiting> nobody; // ends outside the lock
  bool restart = false;
  {
    std::lock_guard guard{mutex_};
    if (gone_)
      return false;
    for (auto& x : unfinished_)
      if (x.delivery != 0 && x.deadline <= now)
        overdue.push_back(std::exchange(x.delivery, 0));
    restart = !target_ && restart_at_ <= now;
    if (!overdue.empty()) {
      auto ended = std::stable_partition(
          waiting_.begin(), waiting_.end(),
          [this](const waiting& x) { return find(x.delivery) != nullptr; });
      std::move(ended, waiting_.end(), std::back_inserter(nobody));
      waiting_.erase(ended, waiting_.end());
    }
  }
  for (auto delivery : overdue) {
    ++hub_->counters.failed;
    hub_->report(observer::severity::warning, "handler-timeout", name_);
    hub_->settle(delivery, outcome::failure());
  }
  if (restart)
    make_target();
  return true;
}

void served_address::enqueue(caf::mailbox_element_ptr what,
                             caf::execution_unit*) {
  // Anything else sent to the sender of a delivery has nowhere to go.
  if (what->mid.is_request())
    return fail({what->sender, what->mid, caf::strong_actor_ptr{ctrl()}},
                caf::sec::unexpected_message);
  if (!what->mid.is_response())
    return;
  auto delivery = what->mid.request_id().integer_value();
  if (auto found = take(delivery))
    finish(delivery, *found, what->content());
}

std::optional<served_address::unfinished>
served_address::take(std::uint64_t delivery) {
  std::lock_guard guard{mutex_};
  auto* found = find(delivery);
  if (found == nullptr)
    return std::nullopt;
  return std::exchange(*found, {});
}

void served_address::finish(std::uint64_t delivery, const unfinished& x,
                            const caf::type_erased_tuple& answer) {
  if (answer.match_elements<caf::error>())
    return finish_error(delivery, x, answer.get_as<caf::error>(0));
  if (!x.reply_to.empty()) {
    if (answer.empty() || answer.match_elements<caf::unit_t>())
      reply(x, v1::Done{});
    else if (const auto* codec = hub_->types.find(answer))
      reply(x, *codec->view(answer));
    else
      reply_error(x, caf::make_error(errc::unknown_type,
                                     "the answer: " + answer.stringify()));
  }
  hub_->settle(delivery, outcome::accepted());
}

void served_address::finish_error(std::uint64_t delivery, const unfinished& x,
                                  const caf::error& error) {
  if (error == caf::sec::unexpected_message) {
    ++hub_->counters.undecodable;
    auto why = caf::make_error(errc::unknown_type,
                               name_ + " does not take this message");
    if (!x.reply_to.empty())
      reply_error(x, why);
    return hub_->settle(
        delivery, outcome::rejected("amqp:not-implemented", text_of(why)));
  }
  // An error that somebody waits for is an answer like any other. One that
  // nobody waits for is a failed attempt, and so is a target that fell over.
  if (!x.reply_to.empty() && !is_target_failure(error)) {
    reply_error(x, error);
    return hub_->settle(delivery, outcome::accepted());
  }
  ++hub_->counters.failed;
  hub_->report(observer::severity::warning, "handler-failed",
               name_ + ": " + hub_->system.render(error));
  hub_->settle(delivery, outcome::failure());
}

void served_address::refuse(std::uint64_t delivery,
                            const amqp::envelope_view& head, errc why,
                            const char* condition, const std::string& reason) {
  auto text = plain_text(reason);
  ++hub_->counters.undecodable;
  hub_->report(observer::severity::warning, "delivery-refused",
               name_ + ": " + text);
  if (!head.reply_to.empty())
    reply_error({delivery,
                 std::string{head.reply_to},
                 to_string(identity(head)),
                 identity(head).kind,
                 {}},
                caf::make_error(why, text));
  hub_->settle(delivery, outcome::rejected(condition, text));
}

envelope served_address::reply_head(const unfinished& x) {
  envelope head;
  head.message_id = hub_->stream + ".r-" + std::to_string(++hub_->replies_sent);
  head.to = x.reply_to;
  head.correlation_id = x.correlation_id;
  head.correlation_id_kind = x.correlation_kind;
  return head;
}

void served_address::reply(const unfinished& x,
                           const google::protobuf::Message& body) {
  auto head = reply_head(x);
  auto bytes = encode(head, body);
  if (bytes.size() > hub_->options.message_bytes_max)
    return reply_error(
        x, caf::make_error(errc::too_long, "the answer: " + head.type));
  send_reply(std::move(bytes));
}

void served_address::reply_error(const unfinished& x, const caf::error& error) {
  auto head = reply_head(x);
  send_reply(encode_error(head, error, text_of(error)));
}

void served_address::send_reply(std::string bytes) {
  auto size = bytes.size();
  auto result = hub_->replies->push({std::move(bytes), 0, false}, size);
  if (result == push_result::queued_first)
    hub_->wake();
  if (result == push_result::full) {
    ++hub_->counters.queue_full;
    hub_->report(observer::severity::warning, "reply-dropped", name_);
  }
}

} // namespace rookery::bridge
