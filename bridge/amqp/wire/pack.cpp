#include "bridge/amqp/wire/pack.hpp"

#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/amqp/wire/reader.hpp"
#include "bridge/amqp/wire/sent_message.hpp"
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

// Whether every broker takes it alone, to which it will go back if need be.
bool may_go_alone(std::string_view bytes) {
  const auto message = decode_sent(bytes);
  return message && !message->ttl && message->type != pack_type;
}

} // namespace

void pack_encoder::begin(std::string_view to) {
  bytes_.clear();
  bridge::envelope head;
  head.to = to;
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
