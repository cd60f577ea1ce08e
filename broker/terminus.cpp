#include "broker/terminus.hpp"

#include "bridge/percent.hpp"
#include "broker/core/names.hpp"

#include <utility>

namespace rookery::broker {

namespace {

using kind = terminus::kind_type;
using parsed = bridge::expected<terminus, std::string>;

constexpr std::string_view queues = "/queues/";
constexpr std::string_view exchanges = "/exchanges/";
constexpr std::string_view management = "/management";

auto bad(std::string_view address) {
  return bridge::unexpected{"bad address string " + quoted(address)};
}

/// A name or key as it is meant; nothing when it is malformed or too long.
std::optional<std::string> decoded(std::string_view text) {
  constexpr std::size_t escape_bytes = 3;
  if (text.size() > escape_bytes * name_bytes_max)
    return std::nullopt;
  auto result = bridge::percent_decode(text);
  if (result && result->size() > name_bytes_max)
    return std::nullopt;
  return result;
}

parsed parse_queue(std::string_view address) {
  auto name = decoded(address.substr(queues.size()));
  if (!name || name->empty())
    return bad(address);
  return terminus{kind::queue, *std::move(name)};
}

parsed parse_exchange(std::string_view address) {
  const auto rest = address.substr(exchanges.size());
  const auto slash = rest.find('/');
  const auto key_text =
      slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  auto name = decoded(rest.substr(0, slash));
  auto key = decoded(key_text);
  // The default exchange is reached through "/queues/".
  if (!name || !key || name->empty() || *name == "amq.default"
      || key_text.find('/') != std::string_view::npos)
    return bad(address);
  return terminus{kind::exchange, *std::move(name), *std::move(key)};
}

parsed parse_any(std::string_view address) {
  if (address.starts_with(queues))
    return parse_queue(address);
  if (address.starts_with(exchanges))
    return parse_exchange(address);
  if (address.empty() || address.starts_with('/')
      || address.size() > name_bytes_max)
    return bad(address);
  return terminus{kind::plain, std::string{address}};
}

} // namespace

std::string quoted(std::string_view address) {
  if (address.size() <= name_bytes_max)
    return "'" + std::string{address} + "'";
  auto end = name_bytes_max;
  while (end > 0 && (address[end] & '\xc0') == '\x80')
    --end; // not within a character
  return "'" + std::string{address.substr(0, end)} + "...'";
}

parsed parse_source(const std::optional<std::string>& address) {
  if (!address)
    return bridge::unexpected{std::string{"the source has no address"}};
  if (*address == management)
    return terminus{kind::management};
  if (address->starts_with(exchanges))
    return bad(*address);
  if (*address == queues)
    return terminus{kind::queue}; // as in RabbitMQ: a queue that is not there
  return parse_any(*address);
}

parsed parse_target_address(const std::optional<std::string>& address) {
  if (!address)
    return terminus{kind::anonymous};
  if (*address == management)
    return terminus{kind::management};
  return parse_any(*address);
}

parsed parse_to(std::string_view address) { return parse_any(address); }

} // namespace rookery::broker
