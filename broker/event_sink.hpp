#pragma once

#include <cstdint>
#include <string_view>

namespace rookery::broker {

/// Told of what a host may want to log; the broker itself prints nothing.
/// Texts are for humans and valid during the call. Methods must not call the
/// broker.
/// @thread the broker's
class event_sink {
public:
  virtual ~event_sink() = default;

  /// `peer` is the client's container id.
  virtual void connection_opened(std::uint64_t /* connection */,
                                 std::string_view /* peer */) noexcept {}
  /// `reason` is empty for an orderly close.
  virtual void connection_closed(std::uint64_t /* connection */,
                                 std::string_view /* reason */) noexcept {}
  /// A connection was turned away, could not be accepted, or ended before the
  /// client opened it.
  virtual void connection_refused(std::string_view /* reason */) noexcept {}
  /// A link was not attached: a bad address, a missing queue, a limit. Its
  /// session was ended.
  virtual void attach_refused(std::uint64_t /* connection */,
                              std::string_view /* link */,
                              std::string_view /* reason */) noexcept {}
  /// A session was ended for what came, or did not go, over this link.
  virtual void session_ended(std::uint64_t /* connection */,
                             std::string_view /* link */,
                             std::string_view /* reason */) noexcept {}
  /// A consumer of `peer` became the active one of a queue with a single active
  /// consumer.
  virtual void consumer_active(std::string_view /* queue */,
                               std::string_view /* peer */) noexcept {}
  /// A message was rejected, or dropped if it came settled.
  virtual void message_refused(std::uint64_t /* connection */,
                               std::string_view /* link */,
                               std::string_view /* reason */) noexcept {}
};

} // namespace rookery::broker
