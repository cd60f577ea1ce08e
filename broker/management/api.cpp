#include "broker/management/api.hpp"

#include "bridge/percent.hpp"
#include "broker/management/queue_body.hpp"
#include "broker/management/target.hpp"

#include <optional>
#include <utility>

namespace rookery::broker {

namespace {

management_result refused(int status, std::string text) {
  return {.status = status, .body = std::move(text)};
}

management_result refused(const failure& why) {
  switch (why.code) {
  case errc::access_refused:
  case errc::resource_limit_exceeded:
    return refused(403, why.text);
  case errc::precondition_failed:
    return refused(409, why.text);
  default:
    return refused(400, why.text);
  }
}

/// What a request to one path needs.
struct scope {
  const management_request& what;
  const request_target& target;
  virtual_host& host;
  connection_id by;
};

using maybe_name = std::optional<std::string>;

maybe_name name_in(const scope& x) {
  return bridge::percent_decode(x.target.segments[1]);
}

management_result bad_name(const scope& x) {
  return refused(400, "the path holds a bad escape: '" + x.what.target + "'");
}

management_result put_queue(const scope& x, const std::string& name) {
  auto options = parse_queue(x.what.body);
  if (!options)
    return refused(400, options.error());
  auto declared = x.host.declare_queue(name, *options, x.by);
  if (!declared)
    return refused(declared.error());
  return {.status = declared.value().created ? 201 : 200,
          .body = describe(*declared.value().target),
          .declared_exclusive = options->exclusive};
}

management_result get_queue(const scope& x, const std::string& name) {
  if (const auto* found = x.host.find_queue(name))
    return {.status = 200, .body = describe(*found)};
  return refused(404, "queue '" + name + "' does not exist");
}

management_result delete_queue(const scope& x, const std::string& name) {
  auto gone = x.host.delete_queue(name, x.by);
  if (!gone)
    return refused(gone.error());
  management_result result{.status = 200};
  result.body =
      value_map{{"message_count", std::uint64_t{gone.value().message_count}}};
  if (gone.value().existed)
    result.deleted_queue = name;
  result.cancelled = std::move(gone.value().cancelled);
  return result;
}

management_result purge_queue(const scope& x, const std::string& name) {
  auto count = x.host.purge_queue(name, x.by);
  if (!count)
    return refused(count.error());
  return {.status = 200,
          .body = value_map{{"message_count", std::uint64_t{count.value()}}}};
}

management_result on_queues(const scope& x) {
  const auto name = name_in(x);
  if (!name)
    return bad_name(x);
  const auto& method = x.what.method;
  const auto& segments = x.target.segments;
  if (segments.size() == 3 && segments[2] == "messages" && method == "DELETE")
    return purge_queue(x, *name);
  if (segments.size() == 2 && method == "PUT")
    return put_queue(x, *name);
  if (segments.size() == 2 && method == "GET")
    return get_queue(x, *name);
  if (segments.size() == 2 && method == "DELETE")
    return delete_queue(x, *name);
  return refused(400, "no such operation: " + method + " " + x.what.target);
}

/// The type and durability that the body asks for, or what is wrong with it.
struct exchange_body {
  std::string type = "direct";
  bool durable = true;
  std::string fault;
};

void read_exchange_property(const value_entry& from, exchange_body& into) {
  const auto* flag = from.content.get<bool>();
  const auto* text = from.content.get<std::string>();
  const auto* map = from.content.get<value_map>();
  if (from.key == "type" && text != nullptr)
    into.type = *text;
  else if (from.key == "durable" && flag != nullptr)
    into.durable = *flag;
  else if ((from.key == "auto_delete" || from.key == "internal")
           && flag != nullptr && !*flag)
    ;
  else if (from.key == "auto_delete" || from.key == "internal")
    into.fault = "exchanges that are '" + from.key
                 + "' are not supported in this version";
  else if (from.key == "arguments" && map != nullptr)
    into.fault = map->empty() ? ""
                              : "the argument '" + map->front().key
                                    + "' of an exchange is unknown";
  else
    into.fault = "bad exchange property '" + from.key + "'";
}

management_result put_exchange(const scope& x, const std::string& name) {
  const auto* map = x.what.body.get<value_map>();
  if (map == nullptr)
    return refused(400, "the body of an exchange declaration is not a map");
  exchange_body body;
  for (const auto& each : *map) {
    read_exchange_property(each, body);
    if (!body.fault.empty())
      return refused(400, body.fault);
  }
  if (body.type != "direct" && body.type != "fanout")
    return refused(400, "exchanges of type '" + body.type
                            + "' are not supported in this version");
  const auto type =
      body.type == "direct" ? exchange_type::direct : exchange_type::fanout;
  auto declared = x.host.declare_exchange(name, type, body.durable);
  if (!declared)
    return refused(declared.error());
  return {.status = 204};
}

management_result on_exchanges(const scope& x) {
  const auto name = name_in(x);
  if (!name)
    return bad_name(x);
  if (name->empty())
    return refused(403, "operation not permitted on the default exchange");
  if (x.target.segments.size() == 2 && x.what.method == "PUT")
    return put_exchange(x, *name);
  if (x.target.segments.size() == 2 && x.what.method == "DELETE") {
    auto gone = x.host.delete_exchange(*name);
    if (!gone)
      return refused(gone.error());
    return {.status = 204};
  }
  return refused(400,
                 "no such operation: " + x.what.method + " " + x.what.target);
}

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

management_result post_binding(const scope& x) {
  auto binding = parse_binding_body(x.what.body);
  if (!binding)
    return refused(400, binding.error());
  auto made =
      x.host.bind(binding->exchange, binding->queue, binding->key, x.by);
  if (!made)
    return refused(made.error());
  return {.status = 204};
}

management_result delete_binding(const scope& x) {
  auto binding = parse_binding(x.target.segments[1]);
  if (!binding)
    return refused(400, binding.error());
  auto gone =
      x.host.unbind(binding->exchange, binding->queue, binding->key, x.by);
  if (!gone)
    return refused(gone.error());
  return {.status = 204};
}

management_result get_bindings(const scope& x) {
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

management_result on_bindings(const scope& x) {
  const auto& method = x.what.method;
  const auto count = x.target.segments.size();
  if (count == 1 && method == "POST")
    return post_binding(x);
  if (count == 1 && method == "GET")
    return get_bindings(x);
  if (count == 2 && method == "DELETE")
    return delete_binding(x);
  return refused(400, "no such operation: " + method + " " + x.what.target);
}

} // namespace

management_result handle(const management_request& what, virtual_host& host,
                         connection_id by) {
  const auto target = parse_target(what.target);
  if (!target)
    return refused(400, target.error());
  const scope x{what, *target, host, by};
  const auto& segments = target->segments;
  if (segments[0] == "bindings")
    return on_bindings(x);
  if (segments.size() > 1 && segments[0] == "queues")
    return on_queues(x);
  if (segments.size() > 1 && segments[0] == "exchanges")
    return on_exchanges(x);
  return refused(400, "no such path: '" + what.target + "'");
}

} // namespace rookery::broker
