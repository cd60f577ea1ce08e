#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace rookery::bridge {

/// How a delivery ended, as in AMQP 1.0, part 3, 3.4. `none` means that the
/// peer settled without saying.
struct outcome {
  enum class kind_type : std::uint8_t {
    none,
    accepted,
    rejected,
    released,
    modified
  };

  kind_type kind = kind_type::none;
  /// modified only: the attempt counts as failed.
  bool failed = false;
  /// modified only: do not deliver here again.
  bool undeliverable_here = false;
  /// rejected only: an AMQP error condition, and a sentence for a human.
  std::string condition = {};
  std::string description = {};

  [[nodiscard]] static outcome accepted() {
    return {.kind = kind_type::accepted};
  }
  [[nodiscard]] static outcome released() {
    return {.kind = kind_type::released};
  }
  [[nodiscard]] static outcome rejected(std::string condition,
                                        std::string description) {
    return {.kind = kind_type::rejected,
            .condition = std::move(condition),
            .description = std::move(description)};
  }
  /// The handler failed; another attempt may succeed.
  [[nodiscard]] static outcome failure() {
    return {.kind = kind_type::modified, .failed = true};
  }

  [[nodiscard]] bool operator==(const outcome&) const = default;
};

/// "accepted", "rejected", ...
[[nodiscard]] constexpr const char* to_string(outcome::kind_type kind) {
  switch (kind) {
  case outcome::kind_type::accepted:
    return "accepted";
  case outcome::kind_type::rejected:
    return "rejected";
  case outcome::kind_type::released:
    return "released";
  case outcome::kind_type::modified:
    return "modified";
  case outcome::kind_type::none:
    break;
  }
  return "none";
}

} // namespace rookery::bridge
