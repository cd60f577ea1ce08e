#include "nodes/parked/parked_message.hpp"

#include "bridge/amqp/wire/header_facts.hpp"
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/park_note.hpp"
#include "bridge/caf/plain_text.hpp"
#include "nodes/client/printable.hpp"

namespace rookery::nodes {

namespace {

std::string plain(std::string_view text) {
  return printable(bridge::plain_text(text, 4'096));
}

/// The trace id of a W3C `traceparent`: VERSION-TRACE-SPAN-FLAGS.
std::string trace_id_of(std::string_view traceparent) {
  constexpr std::size_t begin = 3;
  constexpr std::size_t digits = 32;
  const auto whole = traceparent.size() > begin + digits
                     && traceparent[begin - 1] == '-'
                     && traceparent[begin + digits] == '-';
  return whole ? plain(traceparent.substr(begin, digits)) : std::string{};
}

/// What the way to where it is has left on a message: ours and the broker's.
bool is_trace_of_death(std::string_view key) {
  return key.starts_with(amqp::park_note_prefix) || key == "x-opt-deaths"
         || key.starts_with("x-first-death-")
         || key.starts_with("x-last-death-") || key == "x-delivery-count";
}

void read_note(std::string_view bytes, parked_message& into) {
  const auto all = amqp::read_annotations(amqp::message_annotations(bytes));
  const auto note = amqp::read_park_note(all);
  into.condition = plain(note.condition);
  into.reason = plain(note.reason);
  into.attempts = note.attempts;
  into.queue = note.queue;
  if (into.condition.empty())
    into.condition = plain(amqp::find_text(all, "x-last-death-reason"));
  // The broker's word, which no publisher can forge, goes first; of several
  // queues it has been through the first.
  if (auto said = amqp::find_text(all, "x-first-death-queue"); !said.empty())
    into.queue = said;
}

} // namespace

parked_message read_parked(std::string_view bytes) {
  parked_message result;
  read_note(bytes, result);
  const auto decoded = amqp::decode_message(bytes);
  if (!decoded) {
    result.body = bytes;
    return result;
  }
  result.readable = true;
  result.id = plain(to_string(decoded->message_id));
  result.type = plain(decoded->type);
  result.trace_id = trace_id_of(decoded->trace_parent);
  result.body = decoded->body();
  return result;
}

std::optional<std::string> replay_form(std::string_view bytes) {
  const auto facts = amqp::parse_header_facts(bytes);
  if (!facts)
    return std::nullopt;
  const auto rest = amqp::without_annotations(bytes.substr(facts->header_bytes),
                                              is_trace_of_death);
  if (!rest)
    return std::nullopt;
  return amqp::rewrite_header(*facts, 0, true, facts->ttl) + *rest;
}

} // namespace rookery::nodes
