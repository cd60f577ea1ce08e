#pragma once

#include "bridge/amqp/wire/type_code.hpp"

#include <cstdint>

namespace rookery::amqp {

/// Watches that the sections of a message come once and in order. Strict,
/// because a broker and a consumer that read repeated sections differently
/// would disagree about the same message.
class section_order {
public:
  /// Whether the section `code` may stand here. Codes that no section has may
  /// stand anywhere.
  [[nodiscard]] bool next(std::uint64_t code) noexcept {
    if (code < section::header || code > section::footer)
      return true;
    const bool more_data = code == section::data && last_ == section::data;
    if (last_ != 0 && !more_data && rank(code) <= rank(last_))
      return false;
    last_ = code;
    return true;
  }

private:
  /// The three kinds of body share a place.
  static std::uint64_t rank(std::uint64_t code) noexcept {
    const bool body = code >= section::data && code <= section::value;
    return body ? section::data : code;
  }

  std::uint64_t last_ = 0; // 0 before the first
};

} // namespace rookery::amqp
