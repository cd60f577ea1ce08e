#include "bridge/amqp/wire/message_decoder.hpp"

#include "bridge/amqp/wire/header_section.hpp"
#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/section_order.hpp"
#include "bridge/amqp/wire/type_code.hpp"

namespace rookery::amqp {

namespace {

bool is_text(std::uint8_t code) {
  return code == type_code::str8 || code == type_code::str32
         || code == type_code::sym8 || code == type_code::sym32;
}

bool is_binary(std::uint8_t code) {
  return code == type_code::vbin8 || code == type_code::vbin32;
}

void read_header(reader& in, envelope_view& out) {
  const auto header = read_header_section(in);
  out.durable = header.durable.value_or(false);
  out.priority = header.priority;
  out.ttl = header.ttl;
  out.first_acquirer = header.first_acquirer;
  out.delivery_count = header.delivery_count;
}

void read_properties(reader& in, envelope_view& out) {
  auto [elements, count] = in.list();
  if (count > 0)
    out.message_id = elements.id();
  if (count > 1)
    elements.skip(); // user-id
  if (count > 2)
    out.to = elements.text();
  if (count > 3)
    out.type = elements.text();
  if (count > 4)
    out.reply_to = elements.text();
  if (count > 5)
    out.correlation_id = elements.id();
  if (count > 6)
    out.content_type = elements.text();
  if (count > 7)
    out.content_encoding = elements.text();
  in.adopt(elements);
}

void read_application_properties(reader& in, envelope_view& out) {
  auto [elements, count] = in.map();
  if (count % 2 != 0)
    return in.fail(decode_errc::bad_size);
  for (; count > 0 && !elements.failed(); count -= 2) {
    const auto key = elements.text();
    // A trace context of another type is somebody else's.
    if (key == "traceparent" && is_text(elements.peek()))
      out.trace_parent = elements.text();
    else if (key == "tracestate" && is_text(elements.peek()))
      out.trace_state = elements.text();
    else
      elements.skip();
  }
  in.adopt(elements);
}

void read_data(reader& in, bool first, envelope_view& out) {
  const auto part = in.binary();
  if (first) {
    out.single_body = part;
    return;
  }
  if (out.joined_body.empty())
    out.joined_body = out.single_body;
  out.joined_body += part;
}

void read_value(reader& in, envelope_view& out) {
  if (is_binary(in.peek())) {
    out.kind = body_kind::value_binary;
    out.single_body = in.binary();
  } else if (is_text(in.peek())) {
    out.kind = body_kind::value_string;
    out.single_body = in.text();
  } else {
    in.fail(in.done() ? decode_errc::truncated : decode_errc::unsupported_body);
  }
}

/// Reads one section's value into `out`. `has_body` is kept.
void read_section(std::uint64_t code, reader& in, bool& has_body,
                  envelope_view& out) {
  switch (code) {
  case section::header:
    return read_header(in, out);
  case section::properties:
    return read_properties(in, out);
  case section::application_properties:
    return read_application_properties(in, out);
  case section::data:
    read_data(in, !has_body, out);
    has_body = true;
    return;
  case section::value:
    has_body = true;
    return read_value(in, out);
  case section::sequence:
    return in.fail(decode_errc::unsupported_body);
  default:
    return in.skip(); // annotations, footer, and what we do not know
  }
}

} // namespace

bridge::expected<envelope_view, decode_error>
decode_message(std::string_view bytes, const decode_limits& limits) {
  using bridge::unexpected;
  if (bytes.size() > limits.message_bytes_max)
    return unexpected{
        decode_error{decode_errc::too_long, limits.message_bytes_max}};
  bridge::expected<envelope_view, decode_error> result{envelope_view{}};
  reader in{bytes, limits.depth_max};
  section_order order;
  bool has_body = false;
  while (!in.done()) {
    const auto start = in.offset();
    const auto code = in.descriptor().value_or(0);
    if (!in.failed() && !order.next(code))
      return unexpected{decode_error{decode_errc::bad_order, start}};
    if (!in.failed())
      read_section(code, in, has_body, *result);
  }
  if (in.failed())
    return unexpected{in.error()};
  if (!has_body)
    return unexpected{decode_error{decode_errc::no_body, bytes.size()}};
  return result;
}

} // namespace rookery::amqp
