#include "broker/management/api.hpp"

#include "bridge/percent.hpp"
#include "broker/management/request_scope.hpp"

#include <utility>

namespace rookery::broker {

std::optional<std::string> request_scope::name() const {
  return bridge::percent_decode(target.segments[1]);
}

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

management_result bad_name(const request_scope& x) {
  return refused(400, "the path holds a bad escape: '" + x.what.target + "'");
}

management_result no_operation(const request_scope& x) {
  return refused(400,
                 "no such operation: " + x.what.method + " " + x.what.target);
}

management_result handle(const management_request& what, virtual_host& host,
                         connection_id by) {
  const auto target = parse_target(what.target);
  if (!target)
    return refused(400, target.error());
  const request_scope x{what, *target, host, by};
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
