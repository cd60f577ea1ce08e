#pragma once

#include "bridge/expected.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rookery::broker {

/// The path and query of a request.
struct request_target {
  /// "/queues/a%2Fb" has two; escapes are left, as some values hold more.
  std::vector<std::string_view> segments;
  /// Decoded.
  std::vector<std::pair<std::string, std::string>> query;

  [[nodiscard]] std::optional<std::string>
  parameter(std::string_view key) const;
};

/// A binding as a path names it.
struct binding_name {
  std::string exchange;
  std::string queue;
  std::string key;
};

/// Splits "/queues/a%2Fb?x=y"; the segments point into `text`.
/// On failure: one sentence that quotes it.
[[nodiscard]] bridge::expected<request_target, std::string>
parse_target(std::string_view text);

/// Reads the segment "src=X;dstq=Q;key=K;args=" of a binding's path. Bindings
/// to exchanges and bindings with arguments do not exist here.
[[nodiscard]] bridge::expected<binding_name, std::string>
parse_binding(std::string_view segment);

/// The path of a binding, the inverse of the above.
[[nodiscard]] std::string binding_path(const binding_name& x);

} // namespace rookery::broker
