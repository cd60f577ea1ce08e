#pragma once

#include "broker/core/message.hpp"
#include "broker/core/note.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rookery::broker {

/// `sections`, a message from behind its header on, with annotations that tell
/// what became of it. `x-delivery-count`, unless 0: how often it was given out
/// before. Of a dead letter, so that `of` has a history: `x-opt-deaths`, and
/// for the first and the last death `x-first-death-queue`, `-reason`,
/// `-exchange`, `x-last-death-queue` and so on; and the notes of who gave it
/// up, in place of what had their names. Of many deaths the latest, so that at
/// most `amqp::broker_adds_max` bytes are added. Other annotations stay, and so
/// do all other sections.
/// @pre the sections up to the properties are well-formed, as
///   `amqp::parse_header_facts` has checked when the message came, and there
///   are no delivery annotations
/// @source RabbitMQ 4.0, mc_amqp.erl, protocol_state_message_annotations
[[nodiscard]] std::string annotate(std::string_view sections, const message& of,
                                   std::uint32_t delivered_before);

/// What a consumer may have noted on a dead letter, of the annotations in its
/// outcome, an encoded map: what is called `x-opt-` and is not the broker's, as
/// long as there is room. Null for nothing.
/// @source RabbitMQ 4.0, rabbit_amqp_session.erl: of quorum queues the same
[[nodiscard]] notes_ptr read_notes(std::string_view map);

} // namespace rookery::broker
