#include "bridge/amqp/wire/message_encoder.hpp"

#include "bridge/amqp/wire/message_id.hpp"
#include "bridge/amqp/wire/writer.hpp"
#include "bridge/assert.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

namespace rookery::amqp {

namespace {

constexpr std::uint8_t priority_normal = 4;
constexpr std::string_view trace_parent_key = "traceparent";
constexpr std::string_view trace_state_key = "tracestate";

/// ttl as AMQP has it: 32 bits, so longer ones are as good as for ever.
std::uint32_t clamp_ttl(std::chrono::milliseconds ttl) {
  constexpr std::int64_t max = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(ttl.count(), 0, max));
}

/// durable, priority, ttl; trailing defaults are left out, durable never: some
/// brokers read its absence as true, others as false.
struct header_part {
  explicit header_part(const bridge::envelope& x)
      : durable(x.durable),
        has_priority(x.priority != priority_normal),
        has_ttl(x.ttl.has_value()),
        priority(x.priority),
        ttl(has_ttl ? clamp_ttl(*x.ttl) : 0) {
    if (has_ttl || has_priority)
      bytes += has_priority ? 2 : 1;
    if (has_ttl)
      bytes += writer::uint_size(ttl);
  }

  [[nodiscard]] std::size_t size() const {
    return writer::descriptor_size + writer::compound_size(bytes, count());
  }

  [[nodiscard]] std::size_t count() const {
    return has_ttl ? 3 : has_priority ? 2 : 1;
  }

  void write(writer& out) const {
    out.descriptor(section::header);
    out.compound_head(type_code::list8, bytes, count());
    out.boolean(durable);
    if (has_priority)
      out.ubyte(priority);
    else if (has_ttl)
      out.null();
    if (has_ttl)
      out.uint(ttl);
  }

  bool durable;
  bool has_priority;
  bool has_ttl;
  std::uint8_t priority;
  std::uint32_t ttl;
  std::size_t bytes = 1; // of the list's elements
};

/// message-id, user-id, to, subject, reply-to, correlation-id, content-type.
struct properties_part {
  explicit properties_part(const bridge::envelope& x)
      : fields(x),
        message_id(x.message_id_kind, x.message_id),
        correlation_id(x.correlation_id_kind, x.correlation_id) {
    // The last field that is there ends the list.
    count = !x.content_type.empty()     ? 7
            : !x.correlation_id.empty() ? 6
            : !x.reply_to.empty()       ? 5
            : !x.type.empty()           ? 4
            : !x.to.empty()             ? 3
            : !x.message_id.empty()     ? 1
                                        : 0;
    bytes = message_id.size();
    if (count > 1) // user-id stays empty: brokers compare it with the login
      bytes += 1 + writer::optional_size(x.to.size());
    if (count > 3)
      bytes += writer::optional_size(x.type.size());
    if (count > 4)
      bytes += writer::optional_size(x.reply_to.size());
    if (count > 5)
      bytes += correlation_id.size();
    if (count > 6)
      bytes += writer::variable_size(x.content_type.size());
  }

  [[nodiscard]] std::size_t size() const {
    if (count == 0)
      return 0;
    return writer::descriptor_size + writer::compound_size(bytes, count);
  }

  void write(writer& out) const {
    if (count == 0)
      return;
    out.descriptor(section::properties);
    out.compound_head(type_code::list8, bytes, count);
    message_id.write(out);
    if (count > 1) {
      out.null();
      out.optional(type_code::str8, fields.to);
    }
    if (count > 3)
      out.optional(type_code::str8, fields.type);
    if (count > 4)
      out.optional(type_code::str8, fields.reply_to);
    if (count > 5)
      correlation_id.write(out);
    if (count > 6)
      out.variable(type_code::sym8, fields.content_type);
  }

  const bridge::envelope& fields;
  wire_id message_id;
  wire_id correlation_id;
  std::size_t count; // elements of the list
  std::size_t bytes; // of them
};

/// The trace context as application properties.
struct trace_part {
  explicit trace_part(const bridge::envelope& x)
      : parent(x.trace_parent),
        state(x.trace_state) {
    add(trace_parent_key, parent);
    add(trace_state_key, state);
  }

  [[nodiscard]] std::size_t size() const {
    if (count == 0)
      return 0;
    return writer::descriptor_size + writer::compound_size(bytes, count);
  }

  void write(writer& out) const {
    if (count == 0)
      return;
    out.descriptor(section::application_properties);
    out.compound_head(type_code::map8, bytes, count);
    write_pair(trace_parent_key, parent, out);
    write_pair(trace_state_key, state, out);
  }

  std::string_view parent;
  std::string_view state;
  std::size_t count = 0; // keys and values
  std::size_t bytes = 0;

private:
  void add(std::string_view key, std::string_view text) {
    if (text.empty())
      return;
    count += 2;
    bytes +=
        writer::variable_size(key.size()) + writer::variable_size(text.size());
  }

  static void write_pair(std::string_view key, std::string_view text,
                         writer& out) {
    if (text.empty())
      return;
    out.variable(type_code::str8, key);
    out.variable(type_code::str8, text);
  }
};

/// All that stands in front of the body.
struct front_part {
  explicit front_part(const bridge::envelope& x)
      : header{x},
        properties{x},
        trace{x} {}

  [[nodiscard]] std::size_t size() const {
    return header.size() + properties.size() + trace.size();
  }

  void write(writer& out) const {
    header.write(out);
    properties.write(out);
    trace.write(out);
  }

  header_part header;
  properties_part properties;
  trace_part trace;
};

} // namespace

std::string encode_header(bool durable, std::uint8_t priority,
                          std::chrono::milliseconds ttl) {
  bridge::envelope x;
  x.durable = durable;
  x.priority = priority;
  x.ttl = ttl;
  const header_part header{x};
  std::string result(header.size(), '\0');
  writer w{result.data()};
  header.write(w);
  return result;
}

void encode_head(const bridge::envelope& x, std::size_t body_bytes,
                 std::string& out) {
  ROOKERY_ASSERT(body_bytes <= std::numeric_limits<std::uint32_t>::max());
  const front_part front{x};
  const auto before = out.size();
  const auto head = front.size() + writer::descriptor_size
                    + writer::variable_size(body_bytes) - body_bytes;
  // Room for the body too, but no zeros where it will be copied.
  if (out.capacity() - before < head + body_bytes)
    out.reserve(std::max(before + head + body_bytes, 2 * out.capacity()));
  out.resize(before + head);
  writer w{out.data() + before};
  front.write(w);
  w.descriptor(section::data);
  w.variable_head(type_code::vbin8, body_bytes);
  ROOKERY_ASSERT(w.at() == out.data() + before + head);
}

void encode_front(const bridge::envelope& x, std::string& out) {
  const front_part front{x};
  const auto before = out.size();
  out.resize(before + front.size());
  writer w{out.data() + before};
  front.write(w);
}

void encode_message(const bridge::envelope& x, std::string& out) {
  encode_head(x, x.body.size(), out);
  out.append(x.body);
}

} // namespace rookery::amqp
