#pragma once

#include <cstdint>
#include <memory>
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
  /// modified only: what the broker is to add to the message's annotations, an
  /// encoded AMQP map; null = nothing. Shared, for few outcomes have it and
  /// all are moved about.
  std::shared_ptr<const std::string> annotations = {};

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
  /// Nobody began it: it comes again in its place, and counts as no attempt.
  /// RabbitMQ's quorum queues put what is `released` behind all others.
  [[nodiscard]] static outcome untouched() {
    return {.kind = kind_type::modified};
  }
  /// The handler failed; another attempt may succeed.
  [[nodiscard]] static outcome failure() {
    return {.kind = kind_type::modified, .failed = true};
  }
  /// Nobody here will ever take it: it is parked with `annotations` where its
  /// queue has a dead-letter exchange, else gone. `failed`: handlers failed.
  [[nodiscard]] static outcome parked(std::string annotations, bool failed) {
    return {.kind = kind_type::modified,
            .failed = failed,
            .undeliverable_here = true,
            .annotations =
                std::make_shared<const std::string>(std::move(annotations))};
  }

  [[nodiscard]] bool operator==(const outcome& x) const {
    const auto same =
        annotations == x.annotations
        || (annotations && x.annotations && *annotations == *x.annotations);
    return same && kind == x.kind && failed == x.failed
           && undeliverable_here == x.undeliverable_here
           && condition == x.condition && description == x.description;
  }
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
