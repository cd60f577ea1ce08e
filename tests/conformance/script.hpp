#pragma once

#include "tests/conformance/stage.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rookery::conformance {

/// One behaviour of a broker: what RabbitMQ 4.0.5 does, stated before the run,
/// and how to see what this broker does, told in the same words.
struct script {
  /// "group/name"; unique.
  std::string_view name;
  /// One sentence: what it shows.
  std::string_view shows;
  std::string_view expected;
  /// The observation.
  std::string (*observe)(stage&);
};

using script_group = std::span<const script>;

// In the order of the table.
[[nodiscard]] script_group address_scripts();
[[nodiscard]] script_group queue_scripts();
[[nodiscard]] script_group exchange_scripts();
[[nodiscard]] script_group publishing_scripts();
[[nodiscard]] script_group routing_scripts();
[[nodiscard]] script_group message_scripts();
[[nodiscard]] script_group settling_scripts();
[[nodiscard]] script_group returning_scripts();
[[nodiscard]] script_group limit_scripts();
[[nodiscard]] script_group expiry_scripts();
[[nodiscard]] script_group dead_letter_scripts();
[[nodiscard]] script_group single_active_scripts();
[[nodiscard]] script_group consumer_scripts();
[[nodiscard]] script_group lifetime_scripts();

[[nodiscard]] std::vector<script> all_scripts();

/// Runs one script on a connection of its own and deletes what it made. What
/// keeps it from an observation is the observation.
[[nodiscard]] std::string run(const script& x, const broker_address& where,
                              const std::string& prefix);

} // namespace rookery::conformance
