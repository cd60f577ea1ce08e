#include "bridge/address.hpp"

#include "bridge/assert.hpp"
#include "bridge/percent.hpp"

#include <utility>

namespace rookery::bridge {

namespace {

constexpr std::string_view exchange_prefix = "exchange:";

/// Escapes what would be misread, or would break a line of a log.
void append_text(std::string_view bytes, char separator, std::string& out) {
  for (char c : bytes) {
    if (c > ' ' && c < '\x7f' && c != '%' && c != separator)
      out += c;
    else
      percent_escape(c, out);
  }
}

unexpected<std::string> fault(std::string_view text, std::string_view why) {
  std::string result = "address \"";
  append_text(text, '"', result);
  result += "\": ";
  result += why;
  return unexpected{std::move(result)};
}

} // namespace

address::address(kind_type kind, std::string name, std::string key)
    : kind_(kind),
      name_(std::move(name)),
      key_(std::move(key)) {
  ROOKERY_ASSERT(valid_name(name_) && key_.size() <= name_bytes_max);
}

address address::queue(std::string name) {
  return {kind_type::queue, std::move(name), {}};
}

address address::exchange(std::string name, std::string key) {
  return {kind_type::exchange, std::move(name), std::move(key)};
}

bool address::valid_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= name_bytes_max;
}

expected<address, std::string> address::parse(std::string_view text) {
  auto rest = text;
  std::string_view key_text;
  const bool is_exchange = text.starts_with(exchange_prefix);
  if (is_exchange) {
    rest.remove_prefix(exchange_prefix.size());
    if (auto slash = rest.find('/'); slash != rest.npos) {
      key_text = rest.substr(slash + 1);
      rest = rest.substr(0, slash);
    }
  }
  auto name = percent_decode(rest);
  auto key = percent_decode(key_text);
  if (!name || !key)
    return fault(text, "'%' must be followed by two hex digits");
  if (name->empty())
    return fault(text, is_exchange ? "the name of the exchange is empty"
                                   : "the name of the queue is empty");
  if (name->size() > name_bytes_max)
    return fault(text, "the name is longer than 255 bytes");
  if (key->size() > name_bytes_max)
    return fault(text, "the routing key is longer than 255 bytes");
  return is_exchange ? exchange(std::move(*name), std::move(*key))
                     : queue(std::move(*name));
}

std::string to_string(const address& x) {
  std::string result;
  if (x.kind() == address::kind_type::queue) {
    append_text(x.name(), '\0', result);
    // Not to be taken for an exchange when read back.
    if (result.starts_with(exchange_prefix))
      result.replace(exchange_prefix.size() - 1, 1, "%3A");
    return result;
  }
  result = exchange_prefix;
  append_text(x.name(), '/', result);
  if (!x.key().empty()) {
    result += '/';
    append_text(x.key(), '\0', result);
  }
  return result;
}

} // namespace rookery::bridge

std::size_t std::hash<rookery::bridge::address>::operator()(
    const rookery::bridge::address& x) const noexcept {
  const std::hash<std::string> text;
  auto result = text(x.name());
  // Mixed, so that name and key cannot change places unnoticed.
  result = result * 0x9e3779b97f4a7c15U + text(x.key());
  return result * 2 + static_cast<std::size_t>(x.kind());
}
