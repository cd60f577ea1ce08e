// Goal: a peer that breaks the protocol, or says nothing, loses its own
// connection for a reason that is told; others go on, the process lives, and
// its memory stays small. Method: peers written down frame by frame, as client
// of the embedded broker and as the broker of a node, all in one process; after
// each case a request crosses on other connections. Waits have deadlines.
#include "tests/live/raw_rig.hpp"

#include <optional>
#include <string>
#include <vector>

using namespace rookery;
using namespace rookery::tests;

namespace {

struct misdeed {
  std::string what;
  std::string bytes;
  std::string reason;
};

/// What is wrong on an attached link with handle 0.
std::vector<misdeed> misdeeds() {
  return {
      {"an empty transfer", raw_transfer{.payload = ""}.frame(),
       "amqp:decode-error: a transfer has no payload"},
      {"an aborted transfer",
       raw_transfer{.more = hex("41")}.frame()
           + raw_transfer{.aborted = hex("41"), .payload = ""}.frame(),
       "amqp:not-implemented: a transfer was aborted"},
      {"a transfer without delivery-id",
       raw_transfer{.delivery_id = hex("40"), .more = hex("41")}.frame(),
       "amqp:invalid-field: a delivery has no delivery-id"},
      {"a frame too long", hex("7f ff ff ff 02 00 00 00"),
       "amqp:connection:framing-error: a frame has 2147483647 bytes, the most "
       "is 131072"},
  };
}

} // namespace

TEST_CASE("raw frames: a client that breaks the protocol loses its connection",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  REQUIRE(others.works());
  for (const auto& each : misdeeds()) {
    INFO(each.what);
    auto peer = attached_client(broker.server->port());
    REQUIRE(peer);
    peer->send(each.bytes);
    CHECK(peer->sees_end());
    CHECK(broker.told.tells(each.reason));
    CHECK(others.works());
  }
}

TEST_CASE("raw frames: a message without end does not fill the broker",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  REQUIRE(others.works());
  const auto before = memory_peak_kib();
  auto peer = attached_client(broker.server->port());
  REQUIRE(peer);
  const auto part =
      raw_transfer{.more = hex("41"), .payload = std::string(10'000, 'x')}
          .frame();
  int sent = 0;
  while (sent < 100'000 && peer->send(part))
    ++sent;
  CHECK(sent < 100'000);
  CHECK(peer->sees_end());
  CHECK(broker.told.tells("amqp:link:message-size-exceeded"));
  CHECK(others.works());
  CHECK(memory_peak_kib() - before < growth_max_kib);
}

TEST_CASE("raw frames: a client that says nothing loses its connection",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  SECTION("from the start") {
    auto peer = connect(broker.server->port());
    CHECK(peer.sees_end());
    CHECK(broker.told.tells("the peer did not open the connection in time"));
  }
  SECTION("within SASL") {
    auto peer = connect(broker.server->port());
    peer.send(sasl_header);
    CHECK(peer.sees_end());
    CHECK(broker.told.tells("the peer did not open the connection in time"));
  }
  SECTION("after OPEN") {
    auto peer = attached_client(broker.server->port());
    REQUIRE(peer);
    CHECK(peer->sees_end());
    CHECK(broker.told.tells("local-idle-timeout expired"));
  }
  CHECK(others.works());
}

TEST_CASE("raw frames: a broker that breaks the protocol loses its node",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  for (const auto& each : misdeeds()) {
    INFO(each.what);
    raw_broker bad;
    auto peer = bad.accept();
    raw_broker::attach(peer);
    peer.send(each.bytes);
    CHECK(peer.sees_end());
    CHECK(bad.told->tells(each.reason));
    CHECK(others.works());
  }
}

TEST_CASE("raw frames: a broker's message without end does not fill the node",
          "[live][raw_frames]") {
  raw_broker bad;
  auto peer = bad.accept();
  raw_broker::attach(peer);
  const auto before = memory_peak_kib();
  const auto part =
      raw_transfer{.more = hex("41"), .payload = std::string(10'000, 'x')}
          .frame();
  int sent = 0;
  while (sent < 100'000 && peer.send(part))
    ++sent;
  CHECK(sent < 100'000);
  CHECK(bad.told->tells("amqp:link:message-size-exceeded"));
  CHECK(memory_peak_kib() - before < growth_max_kib);
}

TEST_CASE("raw frames: a broker that says nothing loses its node",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  raw_broker bad;
  auto peer = bad.accept();
  std::string reason = "the peer did not open the connection in time";
  SECTION("from the start") {}
  SECTION("within SASL") { peer.send(sasl_header); }
  SECTION("after OPEN") {
    raw_broker::open(peer);
    reason = "local-idle-timeout expired";
  }
  CHECK(peer.sees_end());
  CHECK(bad.told->tells(reason));
  CHECK(others.works());
}
