#include "broker/management/queue_body.hpp"

#include "broker/core/names.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace rookery::broker {

namespace {

using fault = queue_fault;

// RabbitMQ's own limit: ten years.
constexpr std::int64_t span_ms_max = 315'360'000'000;

constexpr std::string_view quorum = "quorum";
constexpr std::string_view classic = "classic";
constexpr std::string_view drop_head = "drop-head";
constexpr std::string_view reject_publish = "reject-publish";
constexpr std::string_view at_most_once = "at-most-once";

fault malformed(std::string text) { return {400, std::move(text)}; }

fault bad_value(std::string text) { return {409, std::move(text)}; }

fault bad_type(const std::string& key, std::string_view wanted,
               fault (*kind)(std::string) = bad_value) {
  return kind("the value of '" + key + "' is not " + std::string{wanted});
}

fault read_flag(const value_entry& from, std::optional<bool>& into) {
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

fault read_text(const value_entry& from, std::optional<std::string>& into,
                fault (*kind)(std::string) = bad_value) {
  const auto* text = from.content.get<std::string>();
  if (text == nullptr || text->size() > name_bytes_max)
    return bad_type(from.key, "a string of at most 255 bytes", kind);
  into = *text;
  return {};
}

/// RabbitMQ has another, at-least-once.
fault read_strategy(const value_entry& from, bool& into) {
  const auto* text = from.content.get<std::string>();
  if (text == nullptr || *text != at_most_once)
    return malformed(
        "the only 'x-dead-letter-strategy' in this version is at-most-once");
  into = true;
  return {};
}

fault read_overflow(const value_entry& from,
                    std::optional<overflow_policy>& into) {
  const auto* text = from.content.get<std::string>();
  if (text != nullptr && *text == drop_head)
    into = overflow_policy::drop_head;
  else if (text != nullptr && *text == reject_publish)
    into = overflow_policy::reject_publish;
  else
    return bad_type(from.key, "drop-head or reject-publish");
  return {};
}

fault read_type(const value_entry& from, queue_type& into) {
  const auto* text = from.content.get<std::string>();
  if (text != nullptr && *text == classic)
    into = queue_type::classic;
  else if (text != nullptr && *text == quorum)
    into = queue_type::quorum;
  else
    return bad_type(from.key, "classic or quorum");
  return {};
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
    return read_type(from, into.type);
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
  if (key == "x-dead-letter-exchange") // which RabbitMQ looks at earlier
    return read_text(from, into.dead_letter_exchange, malformed);
  if (key == "x-dead-letter-routing-key")
    return read_text(from, into.dead_letter_key);
  if (key == "x-dead-letter-strategy")
    return read_strategy(from, into.at_most_once);
  if (key == "x-max-priority") // quorum queues have none in RabbitMQ either
    return bad_value("the argument '" + key
                     + "' is not supported in this version");
  return malformed("the argument '" + key + "' is unknown");
}

fault read_arguments(const value_entry& from, queue_options& into) {
  const auto* map = from.content.get<value_map>();
  if (map == nullptr)
    return bad_type(from.key, "a map", malformed);
  for (const auto& each : *map)
    if (auto wrong = read_argument(each, into); !wrong.text.empty())
      return wrong;
  if (into.dead_letter_key && !into.dead_letter_exchange)
    return bad_value(
        "'x-dead-letter-routing-key' without 'x-dead-letter-exchange'");
  return {};
}

fault read_property(const value_entry& from, queue_options& into) {
  if (from.key == "arguments")
    return read_arguments(from, into);
  const auto* flag = from.content.get<bool>();
  if (flag != nullptr && from.key == "durable")
    into.durable = *flag;
  else if (flag != nullptr && from.key == "exclusive")
    into.exclusive = *flag;
  else if (flag != nullptr && from.key == "auto_delete")
    into.auto_delete = *flag;
  else
    return malformed("bad queue property '" + from.key + "'");
  return {};
}

std::string_view type_of(const queue_options& x) {
  return x.type == queue_type::quorum ? quorum : classic;
}

value_map arguments_of(const queue_options& x) {
  value_map result{{"x-queue-type", type_of(x)}};
  const auto add = [&](std::string_view key, auto content) {
    result.push_back({std::string{key}, value{std::move(content)}});
  };
  if (x.single_active_consumer)
    add("x-single-active-consumer", *x.single_active_consumer);
  if (x.length_max)
    add("x-max-length", static_cast<std::int64_t>(*x.length_max));
  if (x.bytes_max)
    add("x-max-length-bytes", static_cast<std::int64_t>(*x.bytes_max));
  if (x.overflow)
    add("x-overflow",
        x.overflow == overflow_policy::drop_head ? drop_head : reject_publish);
  if (x.delivery_limit)
    add("x-delivery-limit", *x.delivery_limit);
  if (x.message_ttl)
    add("x-message-ttl", std::int64_t{x.message_ttl->count()});
  if (x.expires)
    add("x-expires", std::int64_t{x.expires->count()});
  if (x.dead_letter_exchange)
    add("x-dead-letter-exchange", *x.dead_letter_exchange);
  if (x.dead_letter_key)
    add("x-dead-letter-routing-key", *x.dead_letter_key);
  if (x.at_most_once)
    add("x-dead-letter-strategy", at_most_once);
  return result;
}

} // namespace

bridge::expected<queue_options, queue_fault> parse_queue(const value& body) {
  const auto* map = body.get<value_map>();
  if (map == nullptr)
    return bridge::unexpected{
        malformed("the body of a queue declaration is not a map")};
  queue_options result;
  result.type = queue_type::classic;
  for (const auto& each : *map)
    if (auto wrong = read_property(each, result); !wrong.text.empty())
      return bridge::unexpected{std::move(wrong)};
  return result;
}

queue_fault check_new(const queue_options& x) {
  if (x.type == queue_type::classic)
    return {};
  if (!x.durable)
    return malformed("a quorum queue must be durable");
  if (x.exclusive)
    return malformed("a quorum queue cannot be exclusive");
  if (x.auto_delete)
    return malformed("a quorum queue cannot be auto-delete");
  return {};
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
      {"type", type_of(options)},
      {"arguments", arguments_of(options)},
  };
}

} // namespace rookery::broker
