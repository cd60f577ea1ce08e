#pragma once

#include "broker/core/death.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rookery::broker {

/// `sections`, a message from behind its header on, with annotations that tell
/// what became of it. `x-delivery-count`, unless 0: how often it was given out
/// before. Of a dead letter, whose `history` is not null: `x-opt-deaths`, and
/// for the first and the last death `x-first-death-queue`, `-reason`,
/// `-exchange`, `x-last-death-queue` and so on. Other annotations stay, and so
/// do all other sections.
/// @pre the sections up to the properties are well-formed, as
///   `amqp::parse_header_facts` has checked when the message came, and there
///   are no delivery annotations
/// @source RabbitMQ 4.0, mc_amqp.erl, protocol_state_message_annotations
[[nodiscard]] std::string annotate(std::string_view sections,
                                   const death_history* history,
                                   std::uint32_t delivered_before);

} // namespace rookery::broker
