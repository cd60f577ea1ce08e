#include "nodes/client/error_text.hpp"

#include "actors/errc.hpp"
#include "bridge/errc.hpp"
#include "nodes/client/printable.hpp"

#include <caf/atom.hpp>
#include <caf/sec.hpp>

#include <algorithm>
#include <array>

namespace rookery::nodes {

namespace {

constexpr const char* no_reply =
    "no reply in time; is there a node of each role?";

std::string words(actors::errc x) {
  using actors::errc;
  switch (x) {
  case errc::invalid_utf8:
    return "the text is not valid UTF-8";
  case errc::text_empty:
    return "the text is empty";
  case errc::text_too_long:
    return "the text is too long";
  case errc::not_author:
    return "the tweet belongs to somebody else";
  case errc::key_too_long:
    return "the idempotency key has more than 64 bytes";
  case errc::key_conflict:
    return "the idempotency key was used with another request";
  case errc::wrong_partition:
    return "the user belongs to another partition; are --shards and "
           "--tweet-partitions the same as in the nodes?";
  case errc::invalid_argument:
    return "a value is out of range";
  case errc::store_failed:
    return "the store could not be used";
  case errc::not_complete:
    return "the timeline could not be completed in time; ask again";
  case errc::overloaded:
    return "the service is overloaded; ask again later";
  case errc::fenced:
  case errc::lease_lapsed:
    return "another node took over; ask again";
  case errc::store_mismatch:
    return "the store does not fit the configuration";
  case errc::unknown_log:
    return "the log is not written there; are --shards and "
           "--tweet-partitions the same as in the nodes?";
  }
  return "the service refused with code "
         + std::to_string(static_cast<unsigned>(x));
}

std::string words(bridge::errc x) {
  using bridge::errc;
  switch (x) {
  case errc::queue_full:
    return "too much waits to be sent";
  case errc::unroutable:
    return "the broker has no such queue; is the service running, and are "
           "--shards and --tweet-partitions the same as in the nodes?";
  case errc::rejected:
    return "the broker refused the message";
  case errc::failed:
    return "the service failed on it and may not have finished";
  case errc::reply_timeout:
    return no_reply;
  case errc::too_many_requests:
    return "too many requests wait for replies";
  case errc::closed:
    return "the connection is closed";
  case errc::unknown_type:
  case errc::undecodable:
    return "the message was not understood";
  case errc::too_long:
    return "the message is too long";
  case errc::unreachable:
    return "there is no connection to the broker";
  case errc::refused:
    return "the broker refused";
  case errc::remote_error:
    return "the service failed";
  case errc::target_down:
    return "the service's actor is down";
  case errc::expired:
    return "its time was over before it was handled";
  case errc::no_outcome:
    return "nobody said what became of it";
  case errc::released:
    return "the service cannot take it now";
  case errc::poison:
    return "the service can never take it";
  }
  return "the bridge failed with code "
         + std::to_string(static_cast<unsigned>(x));
}

std::string context_of(const caf::error& x) {
  if (x.context().match_elements<std::string>())
    return x.context().get_as<std::string>(0);
  return x.context().empty() ? "" : caf::to_string(x.context());
}

} // namespace

std::string error_text(const caf::error& x) {
  std::string result;
  if (x.category() == caf::atom("service"))
    result = words(static_cast<actors::errc>(x.code()));
  else if (x.category() == caf::atom("bridge"))
    result = words(static_cast<bridge::errc>(x.code()));
  else if (x == caf::sec::request_timeout)
    result = no_reply;
  else
    return caf::to_string(x);
  auto context = context_of(x);
  return context.empty() ? result : result + " (" + printable(context) + ")";
}

bool is_refusal(const caf::error& x) {
  // A whole group fails together, and with it the repetition of a change that
  // was committed before: then it is not known.
  if (x.category() == caf::atom("service"))
    return x != actors::errc::store_failed && x != actors::errc::fenced
           && x != actors::errc::lease_lapsed;
  return x == bridge::errc::queue_full || x == bridge::errc::too_many_requests
         || x == bridge::errc::too_long || x == bridge::errc::unknown_type;
}

bool waits_for_queue(const caf::error& x) {
  // RabbitMQ rejects without a word what comes while it makes the queue, and
  // what finds it full.
  constexpr std::array for_good{"amqp:unauthorized-access", "amqp:not-allowed",
                                "amqp:link:message-size-exceeded"};
  const auto why = context_of(x);
  return x == bridge::errc::unroutable
         || (x == bridge::errc::rejected
             && std::none_of(
                 for_good.begin(), for_good.end(),
                 [&](const auto* each) { return why.starts_with(each); }));
}

bool is_final(const caf::error& x) {
  return x.category() == caf::atom("service") && !is_temporary(x);
}

bool is_temporary(const caf::error& x) {
  if (x.category() == caf::atom("service"))
    return x == actors::errc::store_failed || x == actors::errc::not_complete
           || x == actors::errc::overloaded || x == actors::errc::fenced
           || x == actors::errc::lease_lapsed;
  return x != bridge::errc::too_long && x != bridge::errc::unknown_type
         && x != bridge::errc::undecodable;
}

} // namespace rookery::nodes
