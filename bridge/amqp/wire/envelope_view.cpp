#include "bridge/amqp/wire/envelope_view.hpp"

namespace rookery::amqp {

namespace {

/// An id without bytes counts as absent, and absent ids are strings.
void copy_id(const id_view& from, std::string& text, bridge::id_kind& kind) {
  text = to_string(from);
  kind = text.empty() ? bridge::id_kind::string : from.kind;
}

} // namespace

bridge::envelope envelope_view::to_envelope() const {
  auto result = to_head();
  result.body = body();
  return result;
}

bridge::envelope envelope_view::to_head() const {
  bridge::envelope result;
  copy_id(message_id, result.message_id, result.message_id_kind);
  copy_id(correlation_id, result.correlation_id, result.correlation_id_kind);
  result.to = to;
  result.type = type;
  result.reply_to = reply_to;
  result.content_type = content_type;
  result.trace_parent = trace_parent;
  result.trace_state = trace_state;
  if (ttl)
    result.ttl = std::chrono::milliseconds{*ttl};
  result.priority = priority;
  result.durable = durable;
  result.delivery_count = delivery_count;
  result.first_acquirer = first_acquirer;
  return result;
}

} // namespace rookery::amqp
