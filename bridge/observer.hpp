#pragma once

#include <cstdint>
#include <string_view>

namespace rookery::bridge {

/// What the bridge did, as counters since its start. Every send and delivery
/// that did not end well is in one of them.
struct bridge_counters {
  std::uint64_t sent = 0;        // handed to the wire
  std::uint64_t accepted = 0;    // the broker has it
  std::uint64_t released = 0;    // unroutable
  std::uint64_t rejected = 0;    // refused by broker or receiver
  std::uint64_t modified = 0;    // failed at the receiver, not by us
  std::uint64_t unknown = 0;     // settled, and the broker did not say how
  std::uint64_t queue_full = 0;  // refused because the send queue was full
  std::uint64_t unencodable = 0; // message type not registered, or too long
  std::uint64_t received = 0;    // deliveries taken
  std::uint64_t undecodable = 0; // parked: bytes or type not understood
  // Attempts: the handler failed or took too long; or there was none.
  std::uint64_t failed = 0;
  std::uint64_t late_replies = 0; // nobody waited any more
  std::uint64_t done = 0;         // level done: reported as finished
  std::uint64_t done_missing = 0; // level done: no report in time
  std::uint64_t reconnects = 0;   // connections after the first
  std::uint64_t duplicates = 0;   // taken, known, and not handed over again
  std::uint64_t refused = 0;      // parked or released as a handler asked
  std::uint64_t expired = 0;      // time to live over before an outcome
  std::uint64_t deliveries_expired = 0; // the same before the mailbox
  std::uint64_t dropped = 0;            // no room, and their handle drops then
  std::uint64_t given_up = 0; // parked after retry_options::attempts_max
  std::uint64_t too_many_requests = 0; // refused: too many wait for their end
  std::uint64_t closed = 0;            // the bridge had stopped, or stopped
  std::uint64_t unanswered = 0;        // requests: no reply in time
  std::uint64_t packed = 0;   // of `sent`: shared a transfer with others
  std::uint64_t returned = 0; // came in a pack, sent back to the queue alone
  // Not since its start, but now:
  std::uint64_t watches = 0;  // monitors and links of ours elsewhere
  std::uint64_t watchers = 0; // those of others on actors that serve here
  std::uint64_t spilled = 0;  // messages in the spill that have not ended
};

/// Told of everything a host may want to log. The library itself prints
/// nothing. Events have stable names; `text` is for humans.
/// Methods must not throw and must not call the bridge.
/// @thread any, also several at once
class observer {
public:
  enum class severity : std::uint8_t { debug, info, warning, error };

  virtual ~observer() = default;
  virtual void on_event(severity, std::string_view /* name */,
                        std::string_view /* text */) noexcept {}
};

} // namespace rookery::bridge
