#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace rookery::broker {

/// Why the broker refused a command.
enum class errc : std::uint8_t {
  /// No queue or exchange of that name.
  not_found,
  /// The queue is exclusive to another connection.
  resource_locked,
  /// It exists with other properties.
  precondition_failed,
  /// A limit of the virtual host or of the queue is reached.
  resource_limit_exceeded,
  /// The name or key is not a legal one.
  not_allowed,
  /// The name belongs to the broker: the default exchange or `amq.*`.
  access_refused,
};

/// The AMQP condition of `code`, such as `amqp:not-found`.
[[nodiscard]] std::string_view condition(errc code);

/// A refusal: the code and a sentence that names the offending value.
struct failure {
  errc code;
  std::string text;
};

/// Stands for "it worked" where there is nothing to return.
struct done {};

/// A value or a refusal. C++20 has no `std::expected`; the broker throws
/// nothing, because one bad request must not end a connection.
template <class Value>
class [[nodiscard]] result {
public:
  result(Value value) : state_{std::move(value)} {}
  result(failure reason) : state_{std::move(reason)} {}

  [[nodiscard]] explicit operator bool() const { return state_.index() == 0; }
  /// Only when it worked.
  [[nodiscard]] Value& value() { return *std::get_if<Value>(&state_); }
  /// Only when it did not.
  [[nodiscard]] const failure& error() const {
    return *std::get_if<failure>(&state_);
  }

private:
  std::variant<Value, failure> state_;
};

} // namespace rookery::broker
