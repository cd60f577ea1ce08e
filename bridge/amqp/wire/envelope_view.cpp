#include "bridge/amqp/wire/envelope_view.hpp"

namespace rookery::amqp {

bridge::envelope envelope_view::to_envelope() const {
  bridge::envelope result;
  result.message_id = to_string(message_id);
  result.message_id_kind = message_id.kind;
  result.correlation_id = to_string(correlation_id);
  result.correlation_id_kind = correlation_id.kind;
  result.to = to;
  result.type = type;
  result.reply_to = reply_to;
  result.content_type = content_type;
  result.trace_parent = trace_parent;
  result.trace_state = trace_state;
  result.body = body();
  if (ttl)
    result.ttl = std::chrono::milliseconds{*ttl};
  result.priority = priority;
  result.durable = durable;
  result.delivery_count = delivery_count;
  result.first_acquirer = first_acquirer;
  return result;
}

} // namespace rookery::amqp
