// Goal: however a broker ends a conversation, or refuses to begin one, its node
// says why, comes back, and works. Method: one node, and one raw broker after
// the other at the same port; the node waits 20 ms at most between them.
#include "tests/live/raw_rig.hpp"

#include <string>
#include <vector>

using namespace rookery;
using namespace rookery::tests;

namespace {

std::string error(const std::string& name) {
  const auto fields =
      hex("a3") + static_cast<char>(name.size()) + name + hex("a1 03 'why'");
  return hex("00 53 1d c0") + static_cast<char>(fields.size() + 1) + hex("02")
         + fields;
}
std::string close_frame(const std::string& name) {
  return raw_frame(performative(0x18, 1, error(name)));
}

/// The conditions that AMQP has for a connection and in general, and another.
const std::vector<std::string> conditions = {
    "amqp:connection:forced",   "amqp:connection:framing-error",
    "amqp:connection:redirect", "amqp:internal-error",
    "amqp:not-found",           "amqp:unauthorized-access",
    "amqp:decode-error",        "amqp:resource-limit-exceeded",
    "amqp:not-allowed",         "amqp:invalid-field",
    "amqp:not-implemented",     "amqp:resource-locked",
    "amqp:precondition-failed", "amqp:resource-deleted",
    "amqp:illegal-state",       "amqp:frame-size-too-small",
    "example:unheard-of",
};

/// A raw broker that agrees to everything until the node has all it wants.
struct conversation {
  explicit conversation(raw_broker& with) : peer{with.accept()} {
    REQUIRE(
        peer.agree(said, [this] { return said.plain_links().size() == 2; }));
    REQUIRE(with.told->tells("broker-up"));
  }
  raw_manners said;
  raw_peer peer;
};

} // namespace

TEST_CASE("raw frames: a node comes back, whatever its broker closes with",
          "[live][raw_frames]") {
  raw_broker broker;
  for (const auto& each : conditions) {
    INFO(each);
    conversation x{broker};
    x.peer.send(close_frame(each));
    CHECK(x.peer.sees_end());
    CHECK(broker.told->tells("broker-down\n" + each + ": why"));
  }
  conversation again{broker};
}

TEST_CASE("raw frames: a node comes back, whatever its broker ends",
          "[live][raw_frames]") {
  raw_broker broker;
  const auto ends_with = [&broker](const std::string& frame,
                                   const std::string& reason) {
    INFO(reason);
    conversation x{broker};
    x.peer.send(frame);
    CHECK(x.peer.sees_end());
    CHECK(broker.told->tells("broker-down\n" + reason));
  };
  ends_with(raw_frame(performative(0x18, 0, "")), "");
  ends_with(raw_frame(performative(0x17, 1, error("amqp:session:errant-link"))),
            "amqp:session:errant-link: why");
  ends_with(raw_frame(performative(0x17, 0, "")), "amqp:session-ended");
  ends_with(raw_frame(performative(
                0x16, 3, hex("43 41") + error("amqp:link:detach-forced"))),
            "amqp:link:detach-forced: why");
  static_cast<void>(conversation{broker}); // and its socket is gone
  CHECK(broker.told->tells("broker-down"));
  conversation again{broker};
}

TEST_CASE("raw frames: a node that is not let in tries again until it is",
          "[live][raw_frames]") {
  raw_broker broker;
  for (int i = 0; i < 20; ++i) {
    auto peer = broker.accept();
    raw_manners closed;
    // Who it is; the broker; for good; for now.
    closed.sasl_outcome = hex("50") + static_cast<char>(i % 4 + 1);
    CHECK_FALSE(peer.agree(closed, [] { return false; }));
    CHECK(broker.told->tells("broker-down\namqp:unauthorized-access"));
  }
  conversation again{broker};
}
