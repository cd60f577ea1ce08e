#include "bridge/amqp/wire/pack.hpp"

#include "bridge/amqp/wire/header_section.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/section_order.hpp"
#include "bridge/amqp/wire/writer.hpp"

namespace rookery::amqp {

namespace {

constexpr std::size_t depth_max = 32;

// The subject of a message, as far in as it needs to look.
std::string_view subject_of(reader& in) {
  while (!in.done()) {
    const auto code = in.descriptor().value_or(0);
    if (in.failed() || code > section::properties)
      return {};
    if (code != section::properties) {
      in.skip();
      continue;
    }
    auto [elements, count] = in.list();
    if (count < 4)
      return {};
    elements.skip(); // message-id
    elements.skip(); // user-id
    elements.skip(); // to
    const auto result = elements.text();
    in.adopt(elements);
    return result;
  }
  return {};
}

// No user-id, which brokers compare; nothing behind what a node sends.
bool good_properties(reader& in) {
  constexpr std::size_t count_max = 7;
  auto [elements, count] = in.list();
  std::string_view subject;
  for (std::size_t i = 0; i < count && i < count_max; ++i)
    if (i == 0 || i == 5)
      static_cast<void>(elements.id());
    else if (i == 3)
      subject = elements.text();
    else if (i == 1 && elements.peek() != type_code::null)
      return false;
    else
      static_cast<void>(elements.text()); // of null, too
  in.adopt(elements);
  return count <= count_max && subject != pack_type;
}

bool good_application_properties(reader& in) {
  auto [elements, count] = in.map();
  for (; count > 0 && !elements.failed(); --count)
    static_cast<void>(elements.text());
  in.adopt(elements);
  return true;
}

// Whether it is what a node sends, down to its body: then a broker takes it
// alone, to which it will go back if need be.
bool may_go_alone(std::string_view bytes) {
  reader in{bytes, depth_max};
  section_order order;
  while (!in.done()) {
    const auto start = in.offset();
    const auto code = in.descriptor().value_or(0);
    if (in.failed() || !order.next(code))
      return false;
    auto good = false;
    if (code == section::header)
      good = start == 0 && !read_header_section(in).ttl;
    else if (code == section::properties)
      good = good_properties(in);
    else if (code == section::application_properties)
      good = good_application_properties(in);
    else if (code == section::data && in.peek() != type_code::null) {
      static_cast<void>(in.binary());
      return !in.failed() && in.done();
    }
    if (!good)
      return false;
  }
  return false; // without a body
}

} // namespace

void pack_encoder::begin() {
  bytes_.clear();
  bridge::envelope head;
  head.type = pack_type;
  encode_front(head, bytes_);
}

void pack_encoder::add(std::string_view message) {
  const auto before = bytes_.size();
  const auto size =
      writer::descriptor_size + writer::variable_size(message.size());
  bytes_.resize(before + size);
  writer out{bytes_.data() + before};
  out.descriptor(section::data);
  out.variable(type_code::vbin8, message);
}

std::optional<std::vector<std::string_view>>
decode_pack(std::string_view bytes) {
  reader in{bytes, depth_max};
  if (subject_of(in) != pack_type)
    return std::nullopt;
  std::vector<std::string_view> result;
  while (!in.done()) {
    const auto code = in.descriptor().value_or(0);
    if (in.failed() || code != section::data
        || result.size() == pack_messages_max)
      return std::nullopt;
    result.push_back(in.binary());
    if (!may_go_alone(result.back()))
      return std::nullopt;
  }
  if (in.failed() || result.size() < 2)
    return std::nullopt;
  return result;
}

} // namespace rookery::amqp
