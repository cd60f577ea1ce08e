#include "broker/core/queue_options.hpp"

namespace rookery::broker {

std::optional<std::int64_t> delivery_limit(const queue_options& of) {
  constexpr std::int64_t quorum_limit = 20;
  const auto limit = of.delivery_limit.value_or(
      of.type == queue_type::quorum ? quorum_limit : -1);
  return limit < 0 ? std::nullopt : std::optional{limit};
}

std::string_view first_difference(const queue_options& left,
                                  const queue_options& right) {
  if (left.durable != right.durable)
    return "durable";
  if (left.exclusive != right.exclusive)
    return "exclusive";
  if (left.auto_delete != right.auto_delete)
    return "auto_delete";
  if (left.type != right.type)
    return "x-queue-type";
  if (left.single_active_consumer != right.single_active_consumer)
    return "x-single-active-consumer";
  if (left.length_max != right.length_max)
    return "x-max-length";
  if (left.bytes_max != right.bytes_max)
    return "x-max-length-bytes";
  if (left.overflow != right.overflow)
    return "x-overflow";
  if (left.delivery_limit != right.delivery_limit)
    return "x-delivery-limit";
  if (left.message_ttl != right.message_ttl)
    return "x-message-ttl";
  if (left.expires != right.expires)
    return "x-expires";
  if (left.dead_letter_exchange != right.dead_letter_exchange)
    return "x-dead-letter-exchange";
  if (left.dead_letter_key != right.dead_letter_key)
    return "x-dead-letter-routing-key";
  if (left.at_most_once != right.at_most_once)
    return "x-dead-letter-strategy";
  return {};
}

} // namespace rookery::broker
