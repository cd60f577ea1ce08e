#include "broker/management/target.hpp"

#include "bridge/percent.hpp"

namespace rookery::broker {

namespace {

/// Cuts `text` at each `mark` and calls `sink` with the parts.
template <class Sink>
void split(std::string_view text, char mark, Sink&& sink) {
  while (true) {
    const auto end = text.find(mark);
    sink(text.substr(0, end));
    if (end == std::string_view::npos)
      return;
    text.remove_prefix(end + 1);
  }
}

auto quoted(std::string_view what, std::string_view text) {
  return bridge::unexpected{std::string{what} + " '" + std::string{text} + "'"};
}

} // namespace

std::optional<std::string>
request_target::parameter(std::string_view key) const {
  for (const auto& [name, content] : query)
    if (name == key)
      return content;
  return std::nullopt;
}

bridge::expected<request_target, std::string>
parse_target(std::string_view text) {
  request_target result;
  const auto mark = text.find('?');
  const auto path = text.substr(0, mark);
  if (!path.starts_with('/'))
    return quoted("the path does not begin with '/':", text);
  split(path.substr(1), '/',
        [&](std::string_view part) { result.segments.push_back(part); });
  if (mark == std::string_view::npos)
    return result;
  bool legal = true;
  split(text.substr(mark + 1), '&', [&](std::string_view part) {
    const auto equals = part.find('=');
    auto key = bridge::percent_decode(part.substr(0, equals));
    auto content = bridge::percent_decode(
        equals == std::string_view::npos ? "" : part.substr(equals + 1));
    legal = legal && key && content;
    if (legal)
      result.query.emplace_back(*std::move(key), *std::move(content));
  });
  if (!legal)
    return quoted("the query holds a bad escape:", text);
  return result;
}

bridge::expected<binding_name, std::string>
parse_binding(std::string_view segment) {
  std::vector<std::string_view> parts;
  split(segment, ';', [&](std::string_view part) { parts.push_back(part); });
  if (parts.size() == 4 && parts[0].starts_with("src=")
      && parts[1].starts_with("dstq=") && parts[2].starts_with("key=")
      && parts[3] == "args=") {
    auto exchange = bridge::percent_decode(parts[0].substr(4));
    auto queue = bridge::percent_decode(parts[1].substr(5));
    auto key = bridge::percent_decode(parts[2].substr(4));
    if (exchange && queue && key)
      return binding_name{*exchange, *queue, *key};
  }
  return quoted("bad binding path segment", segment);
}

std::string binding_path(const binding_name& x) {
  std::string result = "/bindings/src=";
  bridge::percent_encode(x.exchange, result);
  result += ";dstq=";
  bridge::percent_encode(x.queue, result);
  result += ";key=";
  bridge::percent_encode(x.key, result);
  return result + ";args=";
}

} // namespace rookery::broker
