#include "bridge/amqp/unwritten.hpp"

#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/session.h>

#include <utility>

namespace rookery::amqp {

namespace {

std::size_t kept_bytes(pn_connection_t* x) {
  std::size_t result = 0;
  for (auto* i = pn_session_head(x, 0); i != nullptr; i = pn_session_next(i, 0))
    result += pn_session_outgoing_bytes(i);
  return result;
}

std::size_t queued_messages(pn_connection_t* x) {
  std::size_t result = 0;
  for (auto* i = pn_link_head(x, 0); i != nullptr; i = pn_link_next(i, 0))
    if (pn_link_is_sender(i))
      result += static_cast<std::size_t>(pn_link_queued(i));
  return result;
}

} // namespace

std::size_t unwritten_bytes(pn_connection_t* x) {
  const auto kept = kept_bytes(x);
  const auto queued = kept > 0 ? queued_messages(x) : 0;
  return queued > 0 ? kept + queued * transfer_overhead_bytes : 0;
}

bool leaves_too_much(pn_connection_t* x, std::size_t bytes_max) {
  const auto kept = kept_bytes(x);
  return kept > bytes_max && (kept / 4 > bytes_max || queued_messages(x) == 0);
}

void close_and_forget(pn_link_t* x) {
  pn_link_close(x);
  bool first = true;
  for (auto* i = pn_unsettled_head(x); i != nullptr;) {
    auto* current = i;
    i = pn_unsettled_next(i);
    if (pn_delivery_buffered(current) && !std::exchange(first, false))
      pn_delivery_abort(current);
  }
  pn_link_free(x);
}

} // namespace rookery::amqp
