#include "bridge/endpoint.hpp"

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
  if (host.find_first_of(" \t[]\"") != std::string_view::npos)
    return std::nullopt;
  return endpoint{std::string{host}, *port};
}

std::string to_string(const endpoint& x) {
  auto v6 = x.host.find(':') != std::string::npos;
  return (v6 ? "[" + x.host + "]" : x.host) + ":" + std::to_string(x.port);
}

} // namespace rookery::bridge
