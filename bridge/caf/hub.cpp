#include "bridge/caf/hub.hpp"

#include "bridge/caf/time_bounds.hpp"
#include "bridge/send_lost.hpp"

#include <caf/abstract_actor.hpp>

namespace rookery::bridge {

namespace {

std::string make_name(const std::function<std::uint64_t()>& random) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result(16, '0');
  for (auto& digit : result)
    digit = digits[random() % digits.size()];
  return result;
}

} // namespace

bridge_counters live_counters::snapshot() const {
  return {sent,
          accepted,
          released,
          rejected,
          modified,
          unknown,
          queue_full,
          unencodable,
          received,
          undecodable,
          failed,
          late_replies,
          done,
          done_missing,
          reconnects,
          duplicates,
          refused,
          expired,
          deliveries_expired,
          dropped,
          given_up,
          too_many_requests,
          closed,
          unanswered,
          packed,
          returned,
          0,
          0,
          0};
}

hub::hub(caf::actor_system& system_arg, type_registry types_arg,
         bridge_options options_arg, std::shared_ptr<observer> watcher,
         environment world_arg)
    : system{system_arg},
      types{std::move(types_arg)},
      options{bounded(std::move(options_arg))},
      world{std::move(world_arg)},
      stream{make_name(world.random)},
      reply_queue{"rookery.reply." + options.node_name + "." + stream},
      reply_to{options.profile->encode(address::queue(reply_queue))},
      replies{std::make_shared<amqp::outgoing_queue>(send_queue_limits{
          options.send_queue.messages_max, options.send_queue.bytes_max * 2})},
      control{std::make_shared<amqp::outgoing_queue>(options.send_queue)},
      monitors{options.watches_max},
      watchers{options.watches_max},
      watcher_{std::move(watcher)},
      pending_{options.requests_max},
      spilled{make_spill()} {}

std::unique_ptr<spill> hub::make_spill() {
  if (!options.spill)
    return nullptr;
  return std::make_unique<spill>(
      options.spill, world,
      spill::owner{[this](const amqp::outgoing& what, const std::string& why) {
                     ++counters.queue_full;
                     lost(what, errc::queue_full, "spill: " + why);
                   },
                   [this] { wake(); },
                   [this](const std::string& why) {
                     report(observer::severity::error, "spill-failed", why);
                   }});
}

void hub::set_wake(std::function<void()> f) {
  std::lock_guard guard{wake_mutex_};
  wake_ = std::move(f);
}

void hub::wake() {
  std::lock_guard guard{wake_mutex_};
  if (wake_)
    wake_();
}

bool hub::is_queue(std::string_view text) const {
  const auto to = options.profile->decode(text);
  return to && to->kind() == address::kind_type::queue;
}

bool hub::expect(std::uint64_t number, waiting_send who,
                 clock::time_point deadline) {
  if (who.kind == waiting_send::kind_type::stored
      || who.kind == waiting_send::kind_type::watch)
    deadline = clock::time_point::max(); // its outcome has one of its own
  std::lock_guard guard{pending_mutex_};
  return pending_.add(number, deadline, std::move(who));
}

bool hub::may_expect() {
  std::lock_guard guard{pending_mutex_};
  return !pending_.full();
}

std::optional<waiting_send> hub::take_waiting(std::uint64_t number) {
  std::lock_guard guard{pending_mutex_};
  return pending_.take(number);
}

void hub::lost(const amqp::outgoing& what, errc why, const std::string& text) {
  std::optional<waiting_send> who;
  if (what.waiting != 0)
    who = take_waiting(what.waiting);
  if (who && who->kind == waiting_send::kind_type::watch) {
    // Where it may have arrived, the monitor's own deadline decides.
    if (why != errc::no_outcome)
      monitors.fail(what.waiting, caf::make_error(why, text));
    return;
  }
  if (who)
    return end(*who, why, text);
  report(observer::severity::warning, "send-lost",
         to_string(why) + ": " + text);
}

std::vector<waiting_send> hub::take_overdue(clock::time_point now) {
  std::vector<waiting_send> result;
  std::lock_guard guard{pending_mutex_};
  pending_.expire(now, [&](std::uint64_t, waiting_send who) {
    result.push_back(std::move(who));
  });
  return result;
}

void hub::give_up_waiting() {
  std::uint64_t count = 0;
  const auto why = caf::make_error(errc::closed, "the bridge has stopped");
  for (auto& who : take_overdue(clock::time_point::max())) {
    if (who.kind == waiting_send::kind_type::watch)
      continue; // is told below
    ++counters.closed;
    ++count;
    fail(who, why);
  }
  if (count > 0)
    report(observer::severity::warning, "send-lost",
           std::to_string(count)
               + " had not ended when the bridge stopped; what is in a spill "
                 "stays");
  monitors.fail_all(caf::make_error(errc::closed, "the bridge has stopped"));
  tell_watching();
}

void hub::expire_waiting(clock::time_point now) {
  for (auto& who : take_overdue(now)) {
    ++(who.kind == waiting_send::kind_type::done ? counters.done_missing
                                                 : counters.unanswered);
    end(who, errc::reply_timeout, "no reply in time");
  }
}

void hub::end(const waiting_send& who, errc why, const std::string& text) {
  fail(who, caf::make_error(why, text));
  if (who.kind != waiting_send::kind_type::request)
    report(observer::severity::warning, "send-lost",
           to_string(why) + ": " + text);
}

bool hub::answers_wait() const {
  const auto& most = options.send_queue;
  return replies->size() >= most.messages_max
         || replies->bytes() >= most.bytes_max;
}

void hub::settle(std::uint64_t delivery, outcome how, bool early) {
  if (settlements.push(delivery, std::move(how), early))
    wake();
}

void answer(waiting_send who, caf::message what) {
  if (who.stages.empty()) {
    who.sender->enqueue(caf::make_mailbox_element(std::move(who.proxy),
                                                  who.id.response_id(), {},
                                                  std::move(what)),
                        nullptr);
    return;
  }
  if (what.empty() && who.id.is_async())
    return; // as in CAF
  const auto next = std::move(who.stages.back());
  who.stages.pop_back();
  next->enqueue(caf::make_mailbox_element(std::move(who.sender), who.id,
                                          std::move(who.stages),
                                          std::move(what)),
                nullptr);
}

void fail(const waiting_send& who, caf::error error) {
  const auto is_request = who.kind == waiting_send::kind_type::request;
  if (!who.sender || (!is_request && who.what.empty()))
    return;
  if (is_request)
    who.sender->enqueue(
        caf::make_mailbox_element(who.proxy, who.id.response_id(), {},
                                  caf::make_message(std::move(error))),
        nullptr);
  else
    who.sender->enqueue(
        caf::make_mailbox_element(who.proxy, caf::make_message_id(), {},
                                  caf::make_message(send_lost{
                                      who.proxy, who.what, std::move(error)})),
        nullptr);
}

} // namespace rookery::bridge
