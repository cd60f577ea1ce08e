#pragma once

#include "broker/core/virtual_host.hpp"
#include "broker/management/request.hpp"

#include <string>
#include <vector>

namespace rookery::broker {

/// What came of one request.
struct management_result {
  /// As in HTTP: 200 there, 201 made, 204 done, 400 refused, 403 not allowed,
  /// 404 not there, 409 there but different.
  int status = 400;
  /// A map or list; for a refusal a sentence.
  value body = {};
  /// An exclusive queue was declared: it goes with the connection.
  bool declared_exclusive = false;
  /// A queue was deleted, with these consumers: their links and those that
  /// publish to it end.
  std::string deleted_queue = {};
  std::vector<consumer_ptr> cancelled = {};
};

/// Does what `what` asks, for the connection `by`: PUT, GET and DELETE of
/// queues, purge, PUT and DELETE of exchanges, POST, GET and DELETE of
/// bindings, as RabbitMQ 4 does them.
[[nodiscard]] management_result handle(const management_request& what,
                                       virtual_host& host, connection_id by);

} // namespace rookery::broker
