#include "broker/management/request.hpp"

#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/type_code.hpp"

#include <cstddef>

namespace rookery::broker {

namespace {

constexpr std::size_t depth_max = 32;

/// Reads the properties as far as `reply-to`.
void read_properties(amqp::reader& in, std::string_view message,
                     management_request& into, std::string& reply_to) {
  auto [elements, count] = in.list();
  if (count > 0) {
    const auto start = elements.offset();
    elements.skip();
    into.id = message.substr(start, elements.offset() - start);
  }
  if (count > 1)
    elements.skip(); // user-id
  if (count > 2)
    into.target = elements.text();
  if (count > 3)
    into.method = elements.text();
  if (count > 4)
    reply_to = elements.text();
  in.adopt(elements);
}

void put_section(std::uint64_t code, std::string& out) {
  out += static_cast<char>(amqp::type_code::described);
  out += static_cast<char>(amqp::type_code::smallulong);
  out += static_cast<char>(code);
}

} // namespace

bridge::expected<management_request, std::string>
parse_request(std::string_view message) {
  using bridge::unexpected;
  management_request result;
  std::string reply_to;
  std::optional<value> body;
  amqp::reader in{message, depth_max};
  while (!in.done()) {
    switch (in.descriptor().value_or(0)) {
    case amqp::section::properties:
      read_properties(in, message, result, reply_to);
      break;
    case amqp::section::value: {
      const auto start = in.offset();
      in.skip();
      body = decode_value(message.substr(start, in.offset() - start));
      if (!in.failed() && !body)
        return unexpected{std::string{
            "the body of a management request is not a map of plain values"}};
      break;
    }
    default:
      in.skip();
    }
  }
  if (in.failed())
    return unexpected{"a management request is malformed: "
                      + to_string(in.error())};
  if (!body)
    return unexpected{std::string{
        "a management request has no amqp-value section for its body"}};
  if (result.method.empty() || result.target.empty())
    return unexpected{std::string{
        "a management request has no method (subject) or no path (to)"}};
  if (reply_to != "$me")
    return unexpected{
        std::string{"the reply-to of a management request is not $me"}};
  result.body = *std::move(body);
  return result;
}

std::string encode_response(std::string_view id, int status,
                            const value& body) {
  // The id stands between values in a list: encoded by hand.
  std::string properties(3, static_cast<char>(amqp::type_code::null));
  encode_value(value{std::to_string(status)}, properties); // subject
  properties += static_cast<char>(amqp::type_code::null);  // reply-to
  properties += id.empty() ? std::string_view{"\x40", 1} : id;
  const auto size = properties.size() + 4;
  std::string out;
  put_section(amqp::section::properties, out);
  out += static_cast<char>(amqp::type_code::list32);
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(size >> shift);
  out += std::string_view{"\0\0\0\x06", 4};
  out += properties;
  put_section(amqp::section::application_properties, out);
  encode_value(value{value_map{{"http:response", "1.1"}}}, out);
  put_section(amqp::section::value, out);
  encode_value(body, out);
  return out;
}

} // namespace rookery::broker
