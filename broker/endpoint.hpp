#pragma once

#include "bridge/amqp/link.hpp"
#include "broker/core/queue.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rookery::broker {

class connection;

/// Our end of one link. Owned by its connection, and found again through the
/// link's context; it goes with the link. A method that ends the link, or its
/// session, destroys the endpoint: it must be the last thing done.
class endpoint {
public:
  endpoint(connection& owner, amqp::link self) : owner_{owner}, self_{self} {}
  virtual ~endpoint() = default;
  endpoint(const endpoint&) = delete;
  endpoint& operator=(const endpoint&) = delete;

  virtual void on_message(amqp::delivery, std::string& /* bytes */) {}
  virtual void on_credit() {}
  virtual void on_outcome(std::uint64_t /* number */, const bridge::outcome&) {}
  /// Much waits for the connection's socket; no more should.
  virtual void on_full() {}
  /// The connection has room for output again.
  virtual void on_room() {}
  /// The link is over; the destructor follows.
  virtual void on_closed(detach_reason) {}

  [[nodiscard]] amqp::link link() const { return self_; }

protected:
  connection& owner_;
  amqp::link self_;
};

} // namespace rookery::broker
