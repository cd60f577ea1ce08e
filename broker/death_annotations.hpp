#pragma once

#include "broker/core/death.hpp"

#include <string>
#include <string_view>

namespace rookery::broker {

/// `sections`, a message from behind its header on, with annotations that tell
/// what became of it: `x-opt-deaths`, and for the first and the last death
/// `x-first-death-queue`, `-reason`, `-exchange`, `x-last-death-queue` and so
/// on. Other annotations stay, and so do all other sections.
/// @pre the sections up to the properties are well-formed, as
///   `amqp::parse_header_facts` has checked when the message came
/// @source RabbitMQ 4.0, mc_amqp.erl, encode_deaths
[[nodiscard]] std::string annotate(std::string_view sections,
                                   const death_history& history);

} // namespace rookery::broker
