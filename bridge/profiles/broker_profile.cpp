#include "bridge/profiles/broker_profile.hpp"

#include "bridge/percent.hpp"

#include <utility>

namespace rookery::bridge {

namespace {

/// "exchange" or "exchange/key", percent-encoded.
expected<address, std::string> decode_exchange(std::string_view text,
                                               const std::string& quoted) {
  const auto slash = text.find('/');
  std::string_view key_text;
  if (slash != text.npos) {
    key_text = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  if (key_text.find('/') != key_text.npos)
    return unexpected{quoted + "a '/' in the routing key must be \"%2F\""};
  auto name = percent_decode(text);
  auto key = percent_decode(key_text);
  if (!name || !key)
    return unexpected{quoted + "'%' must be followed by two hex digits"};
  if (!address::valid_name(*name))
    return unexpected{quoted + "an exchange has a name of 1..255 bytes"};
  if (key->size() > address::name_bytes_max)
    return unexpected{quoted + "the routing key is longer than 255 bytes"};
  return address::exchange(std::move(*name), std::move(*key));
}

expected<address, std::string> decode_queue(std::string_view text,
                                            const std::string& quoted) {
  if (text.find('/') != text.npos)
    return unexpected{quoted + "a '/' in the name must be \"%2F\""};
  auto name = percent_decode(text);
  if (!name)
    return unexpected{quoted + "'%' must be followed by two hex digits"};
  if (!address::valid_name(*name))
    return unexpected{quoted + "a queue has a name of 1..255 bytes"};
  return address::queue(std::move(*name));
}

/// `text` as it may stand in a message for humans: short and printable.
std::string quote(std::string_view text) {
  constexpr std::size_t shown_max = 300;
  std::string result = "AMQP address \"";
  for (char c : text.substr(0, shown_max)) {
    if (c > ' ' && c < '\x7f' && c != '"')
      result += c;
    else
      percent_escape(c, result);
  }
  return result + (text.size() > shown_max ? "...\": " : "\": ");
}

} // namespace

std::string broker_profile::encode(const address& x) const {
  std::string result;
  if (x.kind() == address::kind_type::queue) {
    result = queue_prefix;
    percent_encode(x.name(), result);
    return result;
  }
  result = exchange_prefix;
  percent_encode(x.name(), result);
  if (!x.key().empty()) {
    result += '/';
    percent_encode(x.key(), result);
  }
  return result;
}

expected<address, std::string>
broker_profile::decode(std::string_view text) const {
  const auto quoted = quote(text);
  if (text.starts_with(queue_prefix))
    return decode_queue(text.substr(queue_prefix.size()), quoted);
  if (text.starts_with(exchange_prefix))
    return decode_exchange(text.substr(exchange_prefix.size()), quoted);
  return unexpected{quoted + "it must begin with \"" + std::string{queue_prefix}
                    + "\" or \"" + std::string{exchange_prefix} + "\""};
}

} // namespace rookery::bridge
