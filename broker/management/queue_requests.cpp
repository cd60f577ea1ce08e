#include "broker/management/queue_body.hpp"
#include "broker/management/request_scope.hpp"

#include <utility>

namespace rookery::broker {

namespace {

management_result put_queue(const request_scope& x, const std::string& name) {
  auto options = parse_queue(x.what.body);
  if (!options)
    return refused(options.error().status, options.error().text);
  if (x.host.find_queue(name) == nullptr)
    if (const auto wrong = check_new(*options); !wrong.text.empty())
      return refused(wrong.status, wrong.text);
  auto declared = x.host.declare_queue(name, *options, x.by);
  if (!declared)
    return refused(declared.error());
  return {.status = declared.value().created ? 201 : 200,
          .body = describe(*declared.value().target),
          .declared_exclusive = options->exclusive};
}

management_result get_queue(const request_scope& x, const std::string& name) {
  if (const auto* found = x.host.find_queue(name))
    return {.status = 200, .body = describe(*found)};
  return refused(404, "queue '" + name + "' does not exist");
}

management_result delete_queue(const request_scope& x,
                               const std::string& name) {
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

management_result purge_queue(const request_scope& x, const std::string& name) {
  auto count = x.host.purge_queue(name, x.by);
  if (!count)
    return refused(count.error());
  return {.status = 200,
          .body = value_map{{"message_count", std::uint64_t{count.value()}}}};
}

} // namespace

management_result on_queues(const request_scope& x) {
  const auto name = x.name();
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
  return no_operation(x);
}

} // namespace rookery::broker
