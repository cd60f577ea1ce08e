#pragma once

#include "bridge/profiles/broker_profile.hpp"

namespace rookery::bridge {

/// RabbitMQ 4 (address format version 2) and rookery's embedded broker, which
/// speaks the same dialect.
/// @source RabbitMQ documentation, "AMQP 1.0"; limits: defaults of 4.0.
[[nodiscard]] const broker_profile& rabbitmq4() noexcept;

} // namespace rookery::bridge
