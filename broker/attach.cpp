#include "broker/attach.hpp"

#include "bridge/percent.hpp"
#include "broker/connection.hpp"
#include "broker/consumer_link.hpp"
#include "broker/dispatcher.hpp"
#include "broker/management/link_pair.hpp"
#include "broker/publisher_link.hpp"
#include "broker/terminus.hpp"

#include <memory>
#include <string>
#include <utility>

namespace rookery::broker {

namespace {

using kind = terminus::kind_type;
using refusal = std::optional<amqp::condition>;

refusal invalid(const std::string& why) {
  return amqp::condition{"amqp:invalid-field", "Attach rejected: " + why};
}

refusal not_implemented(const std::string& what) {
  return amqp::condition{"amqp:not-implemented", what + " not supported"};
}

refusal refused(const failure& why) {
  return amqp::condition{std::string{condition(why.code)}, why.text};
}

/// One attach, and what it needs.
struct request {
  connection& owner;
  session_state& where;
  amqp::link self;
  amqp::link_terms terms;
};

void add(request& x, std::unique_ptr<endpoint> made) {
  x.self.set_context(made.get());
  x.where.endpoints.push_back(std::move(made));
}

/// A plain name stands for a queue that anybody's attach may make. A classic
/// one, as in RabbitMQ: generic clients return messages as they please, and it
/// has no delivery limit.
refusal ensure_queue(request& x, const std::string& name) {
  auto& host = x.owner.shared().host;
  if (host.find_queue(name) != nullptr)
    return std::nullopt;
  queue_options options;
  options.type = queue_type::classic;
  auto made = host.declare_queue(name, options, x.owner.id());
  return made ? std::nullopt : refused(made.error());
}

/// A queue that the broker names, for the client's replies.
refusal make_dynamic(request& x, terminus& from) {
  queue_options options;
  options.type = queue_type::classic;
  options.durable = false;
  options.exclusive = true;
  options.auto_delete = true;
  from = {kind::queue, x.owner.shared().make_name()};
  auto made =
      x.owner.shared().host.declare_queue(from.name, options, x.owner.id());
  if (!made)
    return refused(made.error());
  x.owner.owns_queues();
  std::string address = "/queues/";
  bridge::percent_encode(from.name, address);
  x.terms.source = std::move(address);
  x.terms.dynamic = false;
  return std::nullopt;
}

refusal attach_management(request& x) {
  if (!x.terms.paired)
    return invalid("link property 'paired' is not true");
  const auto answers = x.self.is_sender();
  const auto& client = answers ? x.terms.target : x.terms.source;
  auto& all = x.where.pairs;
  const auto there = all.find(x.self.name());
  const auto pair = there != all.end()
                        ? there->second
                        : std::make_shared<management_pair>(management_pair{
                            std::string{x.self.name()}, client});
  auto& half = answers ? pair->answers : pair->requests;
  if (half || pair->client != client)
    return amqp::condition{"amqp:precondition-failed",
                           "the two links of a management pair do not match"};
  half = x.self;
  all.try_emplace(pair->name, pair);
  x.terms.presettled = true;
  x.self.open(x.terms);
  add(x, std::make_unique<management_link>(x.owner, x.self, all, pair));
  return std::nullopt;
}

refusal attach_consumer(request& x) {
  terminus from;
  if (x.terms.dynamic) {
    if (auto why = make_dynamic(x, from))
      return why;
  } else {
    auto parsed = parse_source(x.terms.source);
    if (!parsed)
      return invalid(parsed.error());
    from = *std::move(parsed);
  }
  if (from.kind == kind::management)
    return attach_management(x);
  if (from.kind == kind::plain)
    if (auto why = ensure_queue(x, from.name))
      return why;
  const auto priority = std::exchange(x.terms.priority, std::nullopt);
  x.terms.mixed = false;
  auto made = std::make_unique<consumer_link>(
      x.owner, x.self, x.terms.presettled, x.terms.message_bytes_max);
  if (auto why = made->consume(from.name, priority.value_or(0)))
    return refused(*why);
  x.self.open(x.terms);
  add(x, std::move(made));
  return std::nullopt;
}

refusal attach_publisher(request& x) {
  if (x.terms.dynamic)
    return not_implemented("dynamic targets are");
  auto to = parse_target_address(x.terms.target);
  if (!to)
    return invalid(to.error());
  const auto& host = x.owner.shared().host;
  switch (to->kind) {
  case kind::management:
    return attach_management(x);
  case kind::plain:
    if (auto why = ensure_queue(x, to->name))
      return why;
    break;
  case kind::queue:
    if (host.find_queue(to->name) == nullptr)
      return amqp::condition{"amqp:not-found",
                             "queue '" + to->name + "' does not exist"};
    break;
  case kind::exchange:
    if (host.exchanges().find(to->name) == nullptr)
      return amqp::condition{"amqp:not-found",
                             "exchange '" + to->name + "' does not exist"};
    break;
  case kind::anonymous:
    break;
  }
  x.terms.message_bytes_max = x.owner.shared().options.message_bytes_max;
  x.self.open(x.terms);
  using settling = publisher_link::settling;
  const auto says = x.terms.presettled ? settling::all
                    : x.terms.mixed    ? settling::some
                                       : settling::none;
  add(x, std::make_unique<publisher_link>(x.owner, x.self, *to, says));
  return std::nullopt;
}

} // namespace

std::optional<amqp::condition> attach(connection& owner, session_state& where,
                                      amqp::link self) {
  request x{owner, where, self, self.remote_terms()};
  if (x.terms.coordinator)
    return not_implemented("transactions are");
  if (x.terms.settles_second && !x.terms.presettled)
    return not_implemented("rcv-settle-mode second is");
  return self.is_sender() ? attach_consumer(x) : attach_publisher(x);
}

} // namespace rookery::broker
