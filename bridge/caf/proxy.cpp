#include "bridge/caf/proxy.hpp"

#include "bridge/assert.hpp"
#include "bridge/caf/encoding.hpp"
#include "bridge/send_lost.hpp"

#include <caf/actor_cast.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/default_attachable.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/system_messages.hpp>

#include <algorithm>
#include <charconv>
#include <vector>

namespace rookery::bridge {

namespace {

constexpr unsigned seq_bits = 40;

// What the wire has room for, about 49 days.
constexpr std::chrono::milliseconds ttl_max{0xffff'ffff};

caf::default_attachable::observe_token link_of(const caf::actor_addr& who) {
  return {who, caf::default_attachable::link};
}

// CAF marks an actor before it says that it has ended.
bool has_ended(const caf::actor_addr& who) {
  const auto x = caf::actor_cast<caf::strong_actor_ptr>(who);
  return !x || x->get()->getf(caf::abstract_actor::is_terminated_flag);
}

bool parse(std::string_view text, std::uint64_t& out) {
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

errc why_not(push_result x) {
  return x == push_result::closed ? errc::closed : errc::queue_full;
}

} // namespace

std::uint64_t number_in_node(std::uint32_t destination, std::uint64_t seq) {
  return (std::uint64_t{destination} << seq_bits) | seq;
}

std::uint64_t number_in_node(std::string_view id, std::string_view stream) {
  // "<stream>.<destination>-<seq>"
  if (!id.starts_with(stream) || id.size() <= stream.size())
    return 0;
  id.remove_prefix(stream.size() + 1);
  auto dash = id.find('-');
  std::uint64_t destination = 0;
  std::uint64_t seq = 0;
  if (dash == std::string_view::npos || !parse(id.substr(0, dash), destination)
      || !parse(id.substr(dash + 1), seq))
    return 0;
  return number_in_node(static_cast<std::uint32_t>(destination), seq);
}

proxy::proxy(caf::actor_config& config, std::shared_ptr<hub> home,
             std::shared_ptr<destination> to, send_options how)
    : caf::actor_proxy{config},
      hub_{std::move(home)},
      to_{std::move(to)},
      how_{how} {
  ROOKERY_ASSERT(how.when_full != overflow::spill
                 || (to_->lane && how.how != level::fire));
  ROOKERY_ASSERT(!how.ttl || (how.ttl->count() > 0 && *how.ttl <= ttl_max));
}

void proxy::kill_proxy(caf::execution_unit* context, caf::error reason) {
  cleanup(std::move(reason), context);
}

void proxy::enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) {
  const auto& content = what->content();
  const auto* codec = hub_->types.find(content);
  if (codec == nullptr)
    return take_other(*what);
  const auto* body = codec->view(content);
  const auto body_bytes = body->ByteSizeLong();
  if (body_bytes > hub_->options.message_bytes_max) {
    ++hub_->counters.unencodable;
    return refuse(*what, errc::too_long, codec->name);
  }
  auto who = waiter(*what);
  // Before it has a number: gaps take room in the dedupe window of receivers.
  if (const auto why = obstacle(who.has_value(), body_bytes))
    return turn_away(*what, *why);
  thread_local envelope head; // keeps the memory of its strings
  auto seq = ++to_->seq;
  head.message_id = hub_->stream;
  head.message_id += '.';
  head.message_id += std::to_string(to_->index);
  head.message_id += '-';
  head.message_id += std::to_string(seq);
  if (who && who->kind != waiting_send::kind_type::stored)
    head.reply_to = hub_->reply_to;
  else
    head.reply_to.clear();
  head.ttl = how_.ttl;
  auto bytes = encode(head, *body);
  // A peer that gets more than it takes ends the connection.
  if (bytes.size() > hub_->options.message_bytes_max) {
    ++hub_->counters.unencodable;
    return refuse(*what, errc::too_long, codec->name);
  }
  push(*what, std::move(bytes), number_in_node(to_->index, seq),
       std::move(who));
}

void proxy::take_other(const caf::mailbox_element& what) {
  const auto& content = what.content();
  if (content.match_elements<caf::exit_msg>()) {
    // Of an actor that was linked to it; else it is nobody's business. Who
    // calls `send_exit` is the source as well, and lives.
    const auto& x = content.get_as<caf::exit_msg>(0);
    if (has_ended(x.source))
      hub_->end_links(this, link_of(x.source), x.reason);
    return;
  }
  if (content.match_elements<caf::down_msg>())
    return;
  ++hub_->counters.unencodable;
  refuse(what, errc::unknown_type,
         "not one registered Protobuf message: " + described(content));
}

void proxy::attach(caf::attachable_ptr who) {
  if (auto error = hub_->watch(*to_, this, who, false))
    who->actor_exited(error, nullptr);
}

size_t proxy::detach(const caf::attachable::token& which) {
  return hub_->unwatch(this, which);
}

bool proxy::add_backlink(caf::abstract_actor* who) {
  if (hub_->monitors.contains(this, link_of(who->address())))
    return false;
  auto link = caf::default_attachable::make_link(address(), who->address());
  auto error = hub_->watch(*to_, this, link, true);
  if (error)
    link->actor_exited(error, nullptr);
  return !error;
}

bool proxy::remove_backlink(caf::abstract_actor* who) {
  return hub_->unwatch(this, link_of(who->address())) > 0;
}

std::optional<waiting_send> proxy::waiter(const caf::mailbox_element& what) {
  using kind = waiting_send::kind_type;
  const auto request = what.mid.is_request();
  // Of a composed actor: its other part waits for the reply.
  const auto composed = !what.stages.empty();
  const auto done = how_.how == level::done || composed;
  const auto tell = how_.tell_losses && what.sender && !request;
  if (!request && !done && (how_.how == level::fire || !tell))
    return std::nullopt;
  waiting_send result;
  if (!request)
    result.kind = done ? kind::done : kind::stored;
  result.proxy = ctrl();
  if (request || composed || tell)
    result.sender = what.sender;
  result.id = what.mid;
  if (tell)
    result.what = what.copy_content_to_message();
  result.stages = what.stages;
  return result;
}

void proxy::push(const caf::mailbox_element& what, std::string bytes,
                 std::uint64_t number, std::optional<waiting_send> who) {
  amqp::outgoing item{std::move(bytes)};
  item.presettled = how_.how == level::fire;
  item.packs = how_.pack && !how_.ttl;
  if (how_.ttl)
    item.expires = hub_->world.now() + *how_.ttl;
  if (who) {
    item.waiting = number;
    item.ends_stored = who->kind == waiting_send::kind_type::stored;
    auto deadline =
        std::min(item.expires, hub_->world.now() + hub_->options.reply_timeout);
    if (!hub_->expect(number, std::move(*who), deadline)) {
      return turn_away(what, errc::too_many_requests);
    }
  }
  const auto result = queue(std::move(item));
  if (accepted(result))
    return;
  if (who && !hub_->take_waiting(number))
    return; // the bridge stopped meanwhile and answered it
  turn_away(what, why_not(result));
}

std::optional<errc> proxy::obstacle(bool is_waited_for,
                                    std::size_t bytes) const {
  if (is_waited_for && !hub_->may_expect())
    return errc::too_many_requests;
  const auto result = would_queue(bytes);
  return accepted(result) ? std::nullopt : std::optional{why_not(result)};
}

push_result proxy::would_queue(std::size_t bytes) const {
  if (how_.when_full == overflow::spill)
    return hub_->spilled->would_push(*to_->lane, bytes);
  const auto result = to_->queue->would_push(bytes);
  const auto makes_room = how_.when_full == overflow::drop_oldest
                          && result == push_result::full
                          && to_->queue->may_fit(bytes);
  return makes_room ? push_result::queued : result;
}

void proxy::turn_away(const caf::mailbox_element& what, errc why) {
  auto& count = hub_->counters;
  if (why == errc::queue_full && how_.when_full == overflow::drop_newest
      && !what.mid.is_request()) {
    ++count.dropped;
    return;
  }
  ++(why == errc::closed       ? count.closed
     : why == errc::queue_full ? count.queue_full
                               : count.too_many_requests);
  const auto spills = how_.when_full == overflow::spill;
  refuse(what, why,
         (why == errc::queue_full && spills ? "spill: " : "") + to_->name);
}

push_result proxy::queue(amqp::outgoing item) {
  if (how_.when_full == overflow::spill) {
    const auto result = hub_->spilled->push(to_->lane, std::move(item));
    if (result == push_result::queued_first)
      hub_->wake();
    return result;
  }
  const auto bytes = item.bytes.size();
  const auto expires = item.expires;
  std::vector<amqp::outgoing> evicted;
  const auto result = how_.when_full == overflow::drop_oldest
                          ? to_->queue->push_over(
                              std::move(item), bytes, expires,
                              [](const auto& x) { return x.stays; }, evicted)
                          : to_->queue->push(std::move(item), bytes, expires);
  if (result == push_result::queued_first)
    hub_->wake();
  for (const auto& x : evicted) {
    ++hub_->counters.dropped;
    hub_->ended(x);
    hub_->lost(x, errc::queue_full, to_->name + ": dropped for a newer one");
  }
  return result;
}

void proxy::refuse(const caf::mailbox_element& what, errc why,
                   const std::string& text) {
  auto error = caf::make_error(why, text);
  if (what.mid.is_request())
    return fail(
        {waiting_send::kind_type::request, ctrl(), what.sender, what.mid},
        std::move(error));
  hub_->report(observer::severity::warning, "send-dropped",
               to_string(why) + ": " + text);
  // Not of a notice of loss: two handles would tell each other for ever.
  if (how_.tell_losses && !what.content().match_elements<send_lost>())
    fail({waiting_send::kind_type::stored,
          ctrl(),
          what.sender,
          {},
          what.copy_content_to_message()},
         std::move(error));
}

} // namespace rookery::bridge
