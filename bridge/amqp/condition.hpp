#pragma once

#include <string>

namespace rookery::amqp {

/// An AMQP error: why a link, a session or a connection ended. An empty name
/// means that it ended without an error.
struct condition {
  std::string name;
  std::string description;

  [[nodiscard]] bool empty() const { return name.empty(); }
  [[nodiscard]] std::string text() const {
    if (empty())
      return "no error given";
    return description.empty() ? name : name + ": " + description;
  }
  [[nodiscard]] bool operator==(const condition&) const = default;
};

} // namespace rookery::amqp
