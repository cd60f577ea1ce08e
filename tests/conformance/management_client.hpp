#pragma once

#include "tests/conformance/client.hpp"

#include <proton/codec/map.hpp>
#include <proton/value.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace rookery::conformance {

/// A map in a management message; keys are AMQP strings.
using fields = std::map<std::string, proton::value>;

/// What management answered.
struct answer {
  std::string status;
  proton::value body;

  /// A field of a map, as text; "none" without it.
  [[nodiscard]] std::string field(const std::string& name) const;
};

/// Asks the broker over a management link pair of a client's first session.
/// By hand, since scripts also ask what `amqp::management` never would.
/// @source RabbitMQ, "HTTP over AMQP 1.0"
class management_client {
public:
  explicit management_client(client& owner);

  /// One request and its answer. Without `body` its body is null.
  answer ask(const std::string& method, const std::string& path,
             const std::optional<fields>& body = {});
  /// Asks GET until it answers `status`; the last answer's status. For what the
  /// broker does a moment later and tells nobody: there is no event to wait
  /// for, but a question takes a round trip, and they end by the deadline.
  std::string ask_until(const std::string& path, const std::string& status);

private:
  client& owner_;
  client_link* in_;
  client_link* out_;
  std::uint64_t asked_ = 0;
};

} // namespace rookery::conformance
