#include "broker/management/queue_body.hpp"

#include "broker/core/names.hpp"

#include <chrono>

namespace rookery::broker {

namespace {

using fault = std::string; // empty: none

constexpr std::string_view later_argument = "x-max-priority";

// RabbitMQ's own limit: ten years.
constexpr std::int64_t span_ms_max = 315'360'000'000;

fault bad_type(const std::string& key, std::string_view wanted) {
  return "the value of '" + key + "' is not " + std::string{wanted};
}

fault read_flag(const value_entry& from, bool& into) {
  const auto* flag = from.content.get<bool>();
  if (flag == nullptr)
    return bad_type(from.key, "a boolean");
  into = *flag;
  return {};
}

fault read_limit(const value_entry& from, std::optional<std::uint64_t>& into) {
  const auto* number = from.content.get<std::int64_t>();
  if (number == nullptr || *number < 0)
    return bad_type(from.key, "a whole number of zero or more");
  into = static_cast<std::uint64_t>(*number);
  return {};
}

fault read_span(const value_entry& from, std::int64_t least,
                std::optional<std::chrono::milliseconds>& into) {
  const auto* number = from.content.get<std::int64_t>();
  if (number == nullptr || *number < least || *number > span_ms_max)
    return bad_type(from.key, "a whole number of milliseconds from "
                                  + std::to_string(least) + " to "
                                  + std::to_string(span_ms_max));
  into = std::chrono::milliseconds{*number};
  return {};
}

fault read_text(const value_entry& from, std::optional<std::string>& into) {
  const auto* text = from.content.get<std::string>();
  if (text == nullptr || text->size() > name_bytes_max)
    return bad_type(from.key, "a string of at most 255 bytes");
  into = *text;
  return {};
}

fault check_strategy(const value_entry& from) {
  const auto* text = from.content.get<std::string>();
  if (text != nullptr && *text == "at-most-once")
    return {};
  return "the only 'x-dead-letter-strategy' in this version is at-most-once";
}

fault read_overflow(const value_entry& from, overflow_policy& into) {
  const auto* text = from.content.get<std::string>();
  if (text == nullptr)
    return bad_type(from.key, "a string");
  if (*text == "drop-head")
    into = overflow_policy::drop_head;
  else if (*text == "reject-publish")
    into = overflow_policy::reject_publish;
  else
    return "the value '" + *text + "' of 'x-overflow' is neither drop-head nor"
           + " reject-publish";
  return {};
}

fault check_type(const value_entry& from) {
  const auto* text = from.content.get<std::string>();
  if (text != nullptr && (*text == "classic" || *text == "quorum"))
    return {};
  return "the value of 'x-queue-type' is neither classic nor quorum";
}

fault read_argument(const value_entry& from, queue_options& into) {
  const auto& key = from.key;
  if (key == "x-single-active-consumer")
    return read_flag(from, into.single_active_consumer);
  if (key == "x-max-length")
    return read_limit(from, into.length_max);
  if (key == "x-max-length-bytes")
    return read_limit(from, into.bytes_max);
  if (key == "x-overflow")
    return read_overflow(from, into.overflow);
  if (key == "x-queue-type")
    return check_type(from);
  if (key == "x-delivery-limit") {
    const auto* number = from.content.get<std::int64_t>();
    if (number == nullptr)
      return bad_type(key, "a whole number");
    into.delivery_limit = *number;
    return {};
  }
  if (key == "x-message-ttl")
    return read_span(from, 0, into.message_ttl);
  if (key == "x-expires")
    return read_span(from, 1, into.expires);
  if (key == "x-dead-letter-exchange")
    return read_text(from, into.dead_letter_exchange);
  if (key == "x-dead-letter-routing-key")
    return read_text(from, into.dead_letter_key);
  if (key == "x-dead-letter-strategy")
    return check_strategy(from);
  if (key == later_argument)
    return "the argument '" + key + "' is not supported in this version";
  return "the argument '" + key + "' is unknown";
}

fault read_arguments(const value_entry& from, queue_options& into) {
  const auto* map = from.content.get<value_map>();
  if (map == nullptr)
    return bad_type(from.key, "a map");
  for (const auto& each : *map)
    if (auto wrong = read_argument(each, into); !wrong.empty())
      return wrong;
  if (into.dead_letter_key && !into.dead_letter_exchange)
    return "'x-dead-letter-routing-key' without 'x-dead-letter-exchange'";
  return {};
}

fault read_property(const value_entry& from, queue_options& into) {
  if (from.key == "durable")
    return read_flag(from, into.durable);
  if (from.key == "exclusive")
    return read_flag(from, into.exclusive);
  if (from.key == "auto_delete")
    return read_flag(from, into.auto_delete);
  if (from.key == "arguments")
    return read_arguments(from, into);
  return "bad queue property '" + from.key + "'";
}

value_map arguments_of(const queue_options& x) {
  const queue_options defaults;
  value_map result;
  if (x.single_active_consumer)
    result.push_back({"x-single-active-consumer", true});
  if (x.length_max)
    result.push_back(
        {"x-max-length", static_cast<std::int64_t>(*x.length_max)});
  if (x.bytes_max)
    result.push_back(
        {"x-max-length-bytes", static_cast<std::int64_t>(*x.bytes_max)});
  if (x.overflow != defaults.overflow)
    result.push_back({"x-overflow", "reject-publish"});
  if (x.delivery_limit != defaults.delivery_limit)
    result.push_back({"x-delivery-limit", x.delivery_limit});
  if (x.message_ttl)
    result.push_back({"x-message-ttl", std::int64_t{x.message_ttl->count()}});
  if (x.expires)
    result.push_back({"x-expires", std::int64_t{x.expires->count()}});
  if (x.dead_letter_exchange)
    result.push_back({"x-dead-letter-exchange", *x.dead_letter_exchange});
  if (x.dead_letter_key)
    result.push_back({"x-dead-letter-routing-key", *x.dead_letter_key});
  return result;
}

} // namespace

bridge::expected<queue_options, std::string> parse_queue(const value& body) {
  const auto* map = body.get<value_map>();
  if (map == nullptr)
    return bridge::unexpected{
        std::string{"the body of a queue declaration is not a map"}};
  queue_options result;
  for (const auto& each : *map)
    if (auto wrong = read_property(each, result); !wrong.empty())
      return bridge::unexpected{std::move(wrong)};
  return result;
}

value describe(const queue& x) {
  const auto counts = x.counts();
  const auto& options = x.options();
  return value_map{
      {"message_count", std::uint64_t{counts.ready}},
      {"consumer_count", static_cast<std::uint32_t>(counts.consumers)},
      {"name", x.name()},
      {"vhost", "/"},
      {"durable", options.durable},
      {"auto_delete", options.auto_delete},
      {"exclusive", options.exclusive},
      {"type", "quorum"},
      {"arguments", arguments_of(options)},
  };
}

} // namespace rookery::broker
