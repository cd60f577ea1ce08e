#include "bridge/amqp/wire/header_facts.hpp"

#include "bridge/amqp/wire/header_section.hpp"
#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/section_order.hpp"
#include "bridge/amqp/wire/type_code.hpp"
#include "bridge/amqp/wire/writer.hpp"

#include <array>

namespace rookery::amqp {

namespace {

constexpr std::uint8_t priority_normal = 4;

std::string_view read_to(reader& in) {
  auto [elements, count] = in.list();
  std::string_view to;
  if (count > 2) {
    elements.skip(); // message-id
    elements.skip(); // user-id
    to = elements.text();
  }
  in.adopt(elements);
  return to;
}

void read_header(reader& in, header_facts& out) {
  const auto header = read_header_section(in);
  out.durable = header.durable.value_or(true);
  out.priority = header.priority;
  out.ttl = header.ttl;
  out.first_acquirer = header.first_acquirer;
  out.delivery_count = header.delivery_count;
  out.header_bytes = in.offset();
}

void check_map(reader& in) {
  auto [elements, count] = in.map();
  for (std::size_t i = 0; i < count && !elements.failed(); ++i)
    elements.skip();
  in.adopt(elements);
}

/// Reads one section, which began at `start`.
/// @returns whether what follows may hold more facts
bool read_front(std::uint64_t code, std::size_t start, reader& in,
                header_facts& out) {
  if (code == section::header) {
    read_header(in, out);
    return true;
  }
  if (code == section::properties) {
    out.to = read_to(in);
    return false;
  }
  if (code > section::properties && code <= section::footer)
    return false;
  if (code == section::message_annotations) {
    check_map(in); // whoever adds to it must understand it
    return true;
  }
  in.skip(); // other annotations, and what we do not know
  if (code == section::delivery_annotations) {
    out.delivery_annotations_at = start;
    out.delivery_annotations_bytes = in.offset() - start;
  }
  return true;
}

} // namespace

bridge::expected<header_facts, decode_error>
parse_header_facts(std::string_view bytes, const decode_limits& limits) {
  using bridge::unexpected;
  if (bytes.size() > limits.message_bytes_max)
    return unexpected{
        decode_error{decode_errc::too_long, limits.message_bytes_max}};
  header_facts result;
  reader in{bytes, limits.depth_max};
  section_order order;
  for (bool more = true; more && !in.done();) {
    const auto start = in.offset();
    const auto code = in.descriptor().value_or(0);
    const bool misplaced = code == section::header && start != 0;
    if (!in.failed() && (!order.next(code) || misplaced))
      return unexpected{decode_error{decode_errc::bad_order, start}};
    if (!in.failed())
      more = read_front(code, start, in, result);
  }
  if (in.failed())
    return unexpected{in.error()};
  return result;
}

std::string rewrite_header(const header_facts& facts,
                           std::uint32_t delivery_count, bool first_acquirer,
                           std::optional<std::uint32_t> ttl) {
  std::array<char, 32> buffer; // 3 + 3 + 1 + 2 + 5 + 1 + 5 at most
  writer elements{buffer.data() + 6};
  elements.boolean(facts.durable);
  if (facts.priority == priority_normal)
    elements.null();
  else
    elements.ubyte(facts.priority);
  if (ttl)
    elements.uint(*ttl);
  else
    elements.null();
  elements.boolean(first_acquirer);
  elements.uint(delivery_count);
  writer head{buffer.data()};
  head.descriptor(section::header);
  const auto size = static_cast<std::size_t>(elements.at() - buffer.data());
  head.compound_head(type_code::list8, size - 6, 5);
  return {buffer.data(), size};
}

} // namespace rookery::amqp
