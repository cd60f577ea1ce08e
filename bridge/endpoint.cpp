#include "bridge/endpoint.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace rookery::bridge {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t result = 0;
  const auto* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, result);
  if (error != std::errc{} || stop != end)
    return std::nullopt;
  return result;
}

/// Of a name or an address, which may have a zone behind '%'.
bool may_be_in_host(unsigned char c) {
  return std::isalnum(c) != 0
         || std::string_view{".-_:%"}.find(static_cast<char>(c))
                != std::string_view::npos;
}

} // namespace

std::optional<endpoint> parse_endpoint(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  auto port = parse_port(text.substr(colon + 1));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return std::nullopt; // a bare v6 address: where would it end?
  if (host.empty() || host.size() > 255 || !port)
    return std::nullopt;
  if (!std::all_of(host.begin(), host.end(), may_be_in_host))
    return std::nullopt;
  return endpoint{std::string{host}, *port};
}

std::string to_string(const endpoint& x) {
  auto v6 = x.host.find(':') != std::string::npos;
  return (v6 ? "[" + x.host + "]" : x.host) + ":" + std::to_string(x.port);
}

} // namespace rookery::bridge
