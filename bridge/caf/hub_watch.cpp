// What a hub does for monitors and links.
#include "bridge/caf/encoding.hpp"
#include "bridge/caf/hub.hpp"
#include "bridge/caf/observer_of.hpp"
#include "bridge/caf/proxy.hpp"
#include "bridge/caf/time_bounds.hpp"
#include "bridge/caf/watch_protocol.hpp"
#include "bridge/core/thrown.hpp"

#include "rookery/bridge/v1/control.pb.h"

#include <utility>

namespace rookery::bridge {

std::string hub::encode_control(const google::protobuf::Message& body,
                                const std::string& to) {
  envelope head;
  head.message_id = stream + ".c-" + std::to_string(++controls_sent);
  head.to = to;
  head.reply_to = reply_to;
  return encode(head, body);
}

void hub::send_control(const google::protobuf::Message& body,
                       const std::string& to) {
  auto bytes = encode_control(body, to);
  const auto size = bytes.size();
  const auto result = control->push({std::move(bytes)}, size);
  if (result == push_result::queued_first)
    wake();
  else if (result == push_result::full)
    report(observer::severity::warning, "control-dropped", body.GetTypeName());
}

caf::error hub::watch(destination& to, const caf::abstract_actor* of,
                      caf::attachable_ptr& who, bool link) {
  monitor_table::watch what;
  what.link = link;
  if (auto observer = observer_of(*who))
    what.paths = watchers.paths_of(observer, watch_paths_max);
  return begin_watch(to, std::move(what), of, who,
                     world.now() + options.reply_timeout);
}

void hub::resolve(destination& to, std::unique_ptr<resolution> who,
                  std::chrono::milliseconds timeout) {
  caf::attachable_ptr waits{std::move(who)};
  monitor_table::watch what;
  what.once = true;
  if (auto error = begin_watch(to, std::move(what), nullptr, waits,
                               world.now() + bounded(timeout)))
    waits->actor_exited(error, nullptr);
}

caf::error hub::begin_watch(destination& to, monitor_table::watch what,
                            const caf::abstract_actor* of,
                            caf::attachable_ptr& who,
                            clock::time_point deadline) {
  const auto number = number_in_node(to.index, ++to.seq);
  what.number = number;
  what.by = to.queue;
  what.deadline = deadline;
  const auto body = make_watch(what);
  if (!monitors.add(std::move(what), of, who, deadline))
    return caf::make_error(errc::too_many_requests, to.name);
  amqp::outgoing item{encode_control(body)};
  item.waiting = number;
  item.ends_stored = true;
  item.expires = deadline;
  item.stays = true;
  auto why = errc::too_many_requests;
  if (expect(number, waiting_send{waiting_send::kind_type::watch}, deadline)) {
    const auto size = item.bytes.size();
    const auto result = to.queue->push(std::move(item), size, deadline);
    if (result == push_result::queued_first)
      wake();
    if (accepted(result))
      return caf::none;
    static_cast<void>(take_waiting(number));
    why = result == push_result::full ? errc::queue_full : errc::closed;
  }
  who = monitors.take(number);
  if (!who)
    return caf::none; // the bridge stopped meanwhile and told it
  return caf::make_error(why, to.name);
}

std::size_t hub::unwatch(const caf::abstract_actor* of,
                         const caf::attachable::token& which) {
  const auto over = monitors.detach(of, which);
  for (const auto& x : over) {
    if (x.at.peer.empty())
      continue; // it is said when it begins
    v1::Unwatch body;
    body.set_watch(x.number);
    send_control(body, x.at.peer);
  }
  return over.size();
}

void hub::end_links(const caf::abstract_actor* of,
                    const caf::attachable::token& which,
                    const caf::error& exit) {
  monitors.leave(of, which, exit, world.now() + options.reply_timeout);
}

void hub::tell_watching() {
  monitors.tell_each([this](auto& x) {
    try {
      if (x.begun)
        dynamic_cast<resolution&>(*x.who).done(caf::none);
      else
        x.who->actor_exited(x.reason, nullptr);
    } catch (...) {
      report(observer::severity::error, "exception", thrown());
    }
  });
}

} // namespace rookery::bridge
