#pragma once

#include "bridge/amqp/wire/park_note.hpp"
#include "bridge/core/outcome.hpp"

namespace rookery::tests {

/// Whether it takes a message out of its queue for good, with a note of why.
inline bool is_parked(const bridge::outcome& x) {
  return x.kind == bridge::outcome::kind_type::modified && x.undeliverable_here
         && x.annotations;
}

/// What it notes on the message.
inline amqp::park_note note_of(const bridge::outcome& x) {
  return is_parked(x)
             ? amqp::read_park_note(amqp::read_annotations(*x.annotations))
             : amqp::park_note{};
}

} // namespace rookery::tests
