#include "bridge/amqp/unwritten.hpp"

#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/transport.h>

#include <utility>

namespace rookery::amqp {

namespace {

// What a message takes that was sent and is not settled, about: Proton keeps
// its buffer.
constexpr std::size_t sent_bytes = 1'024;

char left = 0; // its address is the context of links that are left

std::size_t kept_bytes(pn_connection_t* x) {
  std::size_t result = 0;
  for (auto* i = pn_session_head(x, 0); i != nullptr; i = pn_session_next(i, 0))
    result += pn_session_outgoing_bytes(i);
  return result;
}

std::size_t queued_messages(pn_connection_t* x) {
  std::size_t result = 0;
  for (auto* i = pn_link_head(x, 0); i != nullptr; i = pn_link_next(i, 0))
    if (pn_link_is_sender(i) && !is_left(i))
      result += static_cast<std::size_t>(pn_link_queued(i));
  return result;
}

std::size_t left_bytes(pn_connection_t* x) {
  std::size_t result = 0;
  for (auto* i = pn_link_head(x, 0); i != nullptr; i = pn_link_next(i, 0))
    if (is_left(i))
      result += static_cast<std::size_t>(pn_link_unsettled(i)) * sent_bytes;
  return result;
}

} // namespace

std::size_t unwritten_bytes(pn_connection_t* x) {
  const auto kept = kept_bytes(x);
  const auto queued = kept > 0 ? queued_messages(x) : 0;
  return queued > 0 ? kept + queued * transfer_overhead_bytes : 0;
}

std::uint64_t frames(pn_transport_t* x) {
  return pn_transport_get_frames_output(x) + pn_transport_get_frames_input(x);
}

std::uint64_t unsettled(pn_connection_t* x) {
  std::uint64_t result = 0;
  for (auto* i = pn_link_head(x, 0); i != nullptr; i = pn_link_next(i, 0))
    result += static_cast<std::uint64_t>(pn_link_unsettled(i));
  return result;
}

bool leaves_any(pn_link_t* x) {
  return pn_link_is_sender(x)
         && (pn_link_queued(x) > 0 || pn_link_unsettled(x) > 0);
}

bool leaves_too_much(pn_connection_t* x, std::size_t bytes_max) {
  const auto kept = kept_bytes(x) + left_bytes(x);
  return kept > bytes_max && (kept / 4 > bytes_max || queued_messages(x) == 0);
}

void close_and_forget(pn_link_t* x, bool but_sent) {
  // Behind an END or a CLOSE of ours no DETACH is written, and Proton keeps a
  // link that has one to write.
  auto* on = pn_link_session(x);
  if ((pn_session_state(on) & PN_LOCAL_CLOSED) == 0
      && (pn_connection_state(pn_session_connection(on)) & PN_LOCAL_CLOSED)
             == 0)
    pn_link_close(x);
  bool first = true;
  for (auto* i = pn_unsettled_head(x); i != nullptr;) {
    auto* current = i;
    i = pn_unsettled_next(i);
    if (pn_delivery_buffered(current) && !std::exchange(first, false))
      pn_delivery_abort(current);
  }
  if (!but_sent)
    return pn_link_free(x);
  pn_link_set_context(x, &left);
  forget_if_settled(x);
}

bool is_left(pn_link_t* x) { return pn_link_get_context(x) == &left; }

void forget_if_settled(pn_link_t* x) {
  for (auto* i = pn_unsettled_head(x); i != nullptr; i = pn_unsettled_next(i))
    if (!pn_delivery_buffered(i))
      return;
  pn_link_set_context(x, nullptr); // it is freed once, whatever else is said
  pn_link_free(x);
}

} // namespace rookery::amqp
