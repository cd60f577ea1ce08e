#include "bridge/amqp/wire/sent_message.hpp"

#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"

#include <string>
#include <utility>

namespace rookery::amqp {

std::optional<envelope_view> decode_sent(std::string_view bytes) {
  auto message = decode_message(bytes, {.message_bytes_max = bytes.size()});
  if (!message)
    return std::nullopt;
  const auto body = message->body().size();
  std::string head;
  encode_head(message->to_head(), body, head);
  if (head.size() + body != bytes.size() || !bytes.starts_with(head))
    return std::nullopt;
  return std::move(*message);
}

} // namespace rookery::amqp
