#include "broker/management/request_scope.hpp"

#include <utility>

namespace rookery::broker {

namespace {

/// Reads a binding from a body; on failure what is wrong with it.
bridge::expected<binding_name, std::string> parse_binding_body(const value& x) {
  using bridge::unexpected;
  const auto* map = x.get<value_map>();
  if (map == nullptr)
    return unexpected{std::string{"the body of a binding is not a map"}};
  binding_name result;
  bool has_source = false;
  bool has_queue = false;
  for (const auto& [key, content] : *map) {
    const auto* text = content.get<std::string>();
    const auto* arguments = content.get<value_map>();
    if (key == "source" && text != nullptr) {
      result.exchange = *text;
      has_source = true;
    } else if (key == "destination_queue" && text != nullptr) {
      result.queue = *text;
      has_queue = true;
    } else if (key == "binding_key" && text != nullptr) {
      result.key = *text;
    } else if (key == "destination_exchange") {
      return unexpected{std::string{
          "bindings between exchanges are not supported in this version"}};
    } else if (key == "arguments" && arguments != nullptr
               && !arguments->empty()) {
      return unexpected{"the argument '" + arguments->front().key
                        + "' of a binding is unknown"};
    } else if (key != "arguments" || arguments == nullptr) {
      return unexpected{"bad binding field '" + key + "'"};
    }
  }
  if (!has_source || !has_queue)
    return unexpected{
        std::string{"a binding needs the fields source and destination_queue"}};
  return result;
}

management_result post_binding(const request_scope& x) {
  auto binding = parse_binding_body(x.what.body);
  if (!binding)
    return refused(400, binding.error());
  auto made =
      x.host.bind(binding->exchange, binding->queue, binding->key, x.by);
  if (!made)
    return refused(made.error());
  return {.status = 204};
}

management_result delete_binding(const request_scope& x) {
  auto binding = parse_binding(x.target.segments[1]);
  if (!binding)
    return refused(400, binding.error());
  auto gone =
      x.host.unbind(binding->exchange, binding->queue, binding->key, x.by);
  if (!gone)
    return refused(gone.error());
  return {.status = 204};
}

management_result get_bindings(const request_scope& x) {
  const auto source = x.target.parameter("src");
  const auto queue_name = x.target.parameter("dstq");
  const auto key = x.target.parameter("key");
  if (!source || !queue_name || !key)
    return refused(400, "the query needs src, dstq and key: '" + x.what.target
                            + "'");
  value_list result;
  if (const auto* found = x.host.exchanges().find(*source))
    found->each_binding([&](const std::string& bound, const queue& to) {
      if (bound != *key || to.name() != *queue_name)
        return;
      result.push_back(value_map{
          {"source", *source},
          {"destination_queue", *queue_name},
          {"binding_key", *key},
          {"arguments", value_map{}},
          {"location", binding_path({*source, *queue_name, *key})},
      });
    });
  return {.status = 200, .body = std::move(result)};
}

} // namespace

management_result on_bindings(const request_scope& x) {
  const auto& method = x.what.method;
  const auto count = x.target.segments.size();
  if (count == 1 && method == "POST")
    return post_binding(x);
  if (count == 1 && method == "GET")
    return get_bindings(x);
  if (count == 2 && method == "DELETE")
    return delete_binding(x);
  return no_operation(x);
}

} // namespace rookery::broker
