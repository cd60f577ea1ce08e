#include "bridge/profiles/rabbitmq4.hpp"

namespace rookery::bridge {

const broker_profile& rabbitmq4() noexcept {
  static constexpr broker_profile profile{
      .name = "rabbitmq4",
      .queue_prefix = "/queues/",
      .exchange_prefix = "/exchanges/",
      .anonymous_terminus = true,
      .anonymous_capability = "ANONYMOUS-RELAY",
      .management_address = "/management",
      .management_capability = "LINK_PAIR_V1_0",
      .links_per_session_max = 200, // the broker ends the session at 257
      .message_bytes_max = 16U << 20,
      .idle_timeout_min = std::chrono::milliseconds{2000},
      .unroutable_released = true,
      .consumer_priority_property = "rabbitmq:priority",
  };
  return profile;
}

} // namespace rookery::bridge
