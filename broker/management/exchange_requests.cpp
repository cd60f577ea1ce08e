#include "broker/management/request_scope.hpp"

namespace rookery::broker {

namespace {

/// The type and durability that the body asks for, or what is wrong with it.
struct exchange_body {
  std::string type = "direct";
  bool durable = true;
  std::string fault;
};

void read_exchange_property(const value_entry& from, exchange_body& into) {
  const auto& key = from.key;
  const auto* flag = from.content.get<bool>();
  const auto* text = from.content.get<std::string>();
  const auto* map = from.content.get<value_map>();
  if (key == "type" && text != nullptr) {
    into.type = *text;
  } else if (key == "durable" && flag != nullptr) {
    into.durable = *flag;
  } else if ((key == "auto_delete" || key == "internal") && flag != nullptr) {
    if (*flag)
      into.fault =
          "exchanges that are '" + key + "' are not supported in this version";
  } else if (key == "arguments" && map != nullptr) {
    if (!map->empty())
      into.fault =
          "the argument '" + map->front().key + "' of an exchange is unknown";
  } else {
    into.fault = "bad exchange property '" + key + "'";
  }
}

management_result put_exchange(const request_scope& x,
                               const std::string& name) {
  const auto* map = x.what.body.get<value_map>();
  if (map == nullptr)
    return refused(400, "the body of an exchange declaration is not a map");
  exchange_body body;
  for (const auto& each : *map) {
    read_exchange_property(each, body);
    if (!body.fault.empty())
      return refused(400, body.fault);
  }
  const auto type = parse_exchange_type(body.type);
  if (!type)
    return refused(400, "exchanges of type '" + body.type
                            + "' are not supported in this version");
  auto declared = x.host.declare_exchange(name, *type, body.durable);
  if (!declared)
    return refused(declared.error());
  return {.status = 204};
}

} // namespace

management_result on_exchanges(const request_scope& x) {
  const auto name = x.name();
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
  return no_operation(x);
}

} // namespace rookery::broker
