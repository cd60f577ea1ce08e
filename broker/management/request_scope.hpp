#pragma once

#include "broker/management/api.hpp"
#include "broker/management/target.hpp"

#include <optional>
#include <string>

namespace rookery::broker {

/// A request and what it needs to be done.
struct request_scope {
  const management_request& what;
  const request_target& target;
  virtual_host& host;
  connection_id by;

  /// The second segment of the path, decoded; nothing for a bad escape.
  [[nodiscard]] std::optional<std::string> name() const;
};

[[nodiscard]] management_result refused(int status, std::string text);
[[nodiscard]] management_result refused(const failure& why);
/// The answer where `name` gives nothing.
[[nodiscard]] management_result bad_name(const request_scope& x);
/// The answer to a method that a path does not have.
[[nodiscard]] management_result no_operation(const request_scope& x);

// By the first segment of the path. The first two need a second one.
[[nodiscard]] management_result on_queues(const request_scope& x);
[[nodiscard]] management_result on_exchanges(const request_scope& x);
[[nodiscard]] management_result on_bindings(const request_scope& x);

} // namespace rookery::broker
