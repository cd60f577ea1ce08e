#pragma once

#include "bridge/amqp/link.hpp"
#include "bridge/core/outcome.hpp"

#include <proton/message.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rookery::conformance {

using texts = std::vector<std::string>;

/// A delivery that the script has taken; it settles it, or leaves it held.
struct received {
  amqp::delivery handle;
  proton::message message;
};

/// A session of a client, and how it ended.
struct client_session {
  amqp::session self;
  std::optional<amqp::condition> ended;
};

/// One end of a client's link, and all that happened to it.
struct client_link {
  amqp::link self;
  client_session* on = nullptr;
  bool attached = false; // the broker sent its half
  std::optional<amqp::condition> closed;
  std::uint64_t sent = 0; // the number of the last send
  std::map<std::uint64_t, bridge::outcome> outcomes;
  std::deque<received> deliveries; // not taken by the script yet

  /// Whether the broker has said what it makes of the attach.
  [[nodiscard]] bool answered() const {
    return attached || closed || on->ended;
  }
  [[nodiscard]] bool lost() const { return closed || on->ended; }
  /// What became of it: "attached", "session ends CONDITION" or
  /// "link closes CONDITION". A session takes its links with it.
  [[nodiscard]] std::string fate() const;
};

/// What a script may say of a link beside its address.
struct link_options {
  /// The client's first session when null.
  client_session* on = nullptr;
  /// Every message is settled by its sender.
  bool settled = false;
  std::optional<std::int32_t> priority = {};
  /// Granted to a receiver that is attached.
  std::uint32_t credit = 0;
};

} // namespace rookery::conformance
