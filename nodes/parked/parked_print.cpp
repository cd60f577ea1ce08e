#include "nodes/parked/parked_print.hpp"

#include "bridge/caf/plain_text.hpp"
#include "nodes/client/printable.hpp"
#include "nodes/load/json_object.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <ostream>

namespace rookery::nodes {

namespace {

// Of a body that nobody can read.
constexpr std::size_t hex_bytes_max = 64;

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (unsigned char c : bytes.substr(0, hex_bytes_max))
    (result += digits[c >> 4]) += digits[c & 15];
  return result;
}

/// The body as JSON on one line; nothing when its type is not known or it is
/// no such message.
std::optional<std::string> body_json(const parked_message& x,
                                     const bridge::type_registry& types) {
  using namespace google::protobuf;
  if (!x.readable || types.find(x.type) == nullptr)
    return std::nullopt;
  const auto* type =
      DescriptorPool::generated_pool()->FindMessageTypeByName(x.type);
  if (type == nullptr)
    return std::nullopt;
  const std::unique_ptr<Message> message{
      MessageFactory::generated_factory()->GetPrototype(type)->New()};
  if (!message->ParseFromArray(x.body.data(), static_cast<int>(x.body.size())))
    return std::nullopt;
  util::JsonPrintOptions options;
  options.always_print_primitive_fields = true; // user 0 is a user
  std::string result;
  if (!util::MessageToJsonString(*message, &result, options).ok())
    return std::nullopt;
  return result;
}

std::string name_of(const std::string& queue) {
  return printable(bridge::plain_text(queue));
}

std::string or_dash(const std::string& x) { return x.empty() ? "-" : x; }

using row = std::array<std::string, 7>;

row row_of(const parked_message& x) {
  return {std::to_string(x.attempts),
          or_dash(x.condition),
          or_dash(name_of(x.queue)),
          or_dash(x.type),
          or_dash(x.id),
          or_dash(x.trace_id),
          or_dash(x.reason)};
}

} // namespace

void print_table(const std::vector<parked_message>& all, std::ostream& out) {
  std::vector<row> rows{{"ATTEMPTS", "CONDITION", "QUEUE", "TYPE", "MESSAGE-ID",
                         "TRACE-ID", "REASON"}};
  for (const auto& each : all)
    rows.push_back(row_of(each));
  std::array<std::size_t, std::tuple_size_v<row>> widths{};
  for (const auto& each : rows)
    for (std::size_t i = 0; i < each.size(); ++i)
      widths[i] = std::max(widths[i], each[i].size());
  for (const auto& each : rows) {
    for (std::size_t i = 0; i + 1 < each.size(); ++i)
      out << each[i] << std::string(widths[i] - each[i].size() + 2, ' ');
    out << each.back() << '\n';
  }
}

void print_whole(const parked_message& x, const bridge::type_registry& types,
                 std::ostream& out) {
  out << "message-id  " << or_dash(x.id) << "\ntype        " << or_dash(x.type)
      << "\nqueue       " << or_dash(name_of(x.queue)) << "\ncondition   "
      << or_dash(x.condition) << "\nreason      " << or_dash(x.reason)
      << "\nattempts    " << x.attempts << "\ntrace-id    "
      << or_dash(x.trace_id) << "\nbytes       " << x.body.size() << '\n';
  if (const auto json = body_json(x, types))
    out << "body        " << *json << '\n';
  else
    out << (x.readable ? "body, hex   " : "all, hex    ") << hex(x.body)
        << (x.body.size() > hex_bytes_max ? "..." : "") << '\n';
}

std::string to_json(const parked_message& x,
                    const bridge::type_registry* types) {
  json_object result;
  result.add("message_id", x.id)
      .add("type", x.type)
      .add("queue", name_of(x.queue))
      .add("condition", x.condition)
      .add("reason", x.reason)
      .add("attempts", x.attempts)
      .add("trace_id", x.trace_id)
      .add("body_bytes", std::uint64_t{x.body.size()});
  if (types == nullptr)
    return result.text();
  if (const auto json = body_json(x, *types))
    result.add_json("body", *json);
  else
    result.add(x.readable ? "body_hex" : "message_hex", hex(x.body));
  return result.text();
}

} // namespace rookery::nodes
