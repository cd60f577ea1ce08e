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

// AddressSanitizer asks for its options by this name. What is freed counts as
// taken while it is in quarantine, and these tests bound what is taken.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "quarantine_size_mb=16";
}

namespace {

struct misdeed {
  std::string what;
  std::string bytes;
  std::string reason;
};

std::string deep_disposition(std::size_t depth) {
  const auto fields = hex("41 43 40 41") + raw_nested(depth);
  return raw_frame(hex("00 53 15 d0") + big_endian(4 + fields.size())
                   + big_endian(5) + fields);
}

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
      {"a transfer on a handle that is not attached",
       raw_transfer{.handle = hex("52 07")}.frame(),
       "amqp:session:unattached-handle"},
      {"a frame too long", hex("7f ff ff ff 02 00 00 00"),
       "amqp:connection:framing-error: a frame has 2147483647 bytes, the most "
       "is 131072"},
      {"a frame of 100 MB", hex("05 f5 e1 00 02 00 00 00"),
       "amqp:connection:framing-error: a frame has 100000000 bytes"},
      {"a frame nested 10,000 deep", deep_disposition(10'000),
       "amqp:decode-error: a frame is malformed"},
      {"a login after the OPEN", sasl_frame(0x44, 1, hex("50 00")),
       "amqp:connection:framing-error: a frame of another type than may come "
       "now"},
  };
}

/// What a peer begins with that will not do.
struct opening {
  std::string what;
  std::string of_client;
  std::string of_broker;
  std::string reason;
};

std::vector<opening> openings() {
  const std::string http = "GET / HTTP/1.1\r\n\r\n";
  const auto tls = hex("'AMQP' 02 01 00 00");
  const auto unasked = sasl_header + raw_open();
  const auto init = sasl_frame(0x41, 1, hex("a3 09 'ANONYMOUS'"));
  const auto mechanisms = sasl_frame(0x40, 1, hex("a3 09 'ANONYMOUS'"));
  const auto early = raw_begin();
  return {
      {"another protocol", http, http,
       "amqp:connection:framing-error: the peer does not speak AMQP"},
      {"TLS", tls, tls, "amqp:connection:framing-error: the peer asks for TLS"},
      {"an OPEN in place of a login", unasked, unasked,
       "amqp:connection:framing-error: a frame of another type than may come "
       "now"},
      {"a login twice", sasl_header + init + init,
       sasl_header + mechanisms + mechanisms,
       "amqp:illegal-state: a SASL frame that may not come now"},
      {"a login nested too deep",
       sasl_header + raw_frame(hex("00 53 41") + raw_nested(50), 0, 1),
       sasl_header + raw_frame(hex("00 53 40") + raw_nested(50), 0, 1),
       "amqp:decode-error: a SASL frame is malformed"},
  };
}

bool send_empty_frames(raw_peer& to) {
  constexpr int thousand = 1'000;
  std::string frames;
  for (int i = 0; i < thousand; ++i)
    frames += raw_frame("");
  for (int i = 0; i < thousand; ++i)
    if (!to.send(frames))
      return false;
  return true;
}

/// More of a login than can be said, byte by byte, before the OPEN is due.
std::string slow_words(int code) {
  return sasl_header
         + sasl_frame(code, 1, hex("a3 c8") + std::string(200, 'X'));
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

TEST_CASE("raw frames: a client that begins badly gets no further",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  for (const auto& each : openings()) {
    INFO(each.what);
    auto peer = connect(broker.server->port());
    peer.send(each.of_client);
    CHECK(peer.sees_end());
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

TEST_CASE("raw frames: a million empty frames cost a client nothing, and the "
          "broker nothing",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  auto peer = attached_client(broker.server->port());
  REQUIRE(peer);
  const auto before = memory_peak_kib();
  REQUIRE(send_empty_frames(*peer));
  CHECK(others.works());
  peer->send(raw_transfer{}.frame());
  CHECK(peer->read_to(hex("00 53 15"))); // its outcome
  CHECK(memory_peak_kib() - before < growth_max_kib);
}

TEST_CASE("raw frames: outcomes that are not read do not fill the broker",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  auto peer = attached_client(broker.server->port());
  REQUIRE(peer);
  const auto before = memory_peak_kib();
  std::size_t sent = 0;
  for (auto going = true; going && sent < 1'000'000; ++sent)
    going = peer->send(raw_transfer{.delivery_id = hex("70") + big_endian(sent),
                                    .payload = "garbage"}
                           // which is rejected, not kept
                           .frame());
  CHECK(sent < 1'000'000);
  CHECK(broker.told.tells("local-idle-timeout expired"));
  CHECK(others.works());
  CHECK(memory_peak_kib() - before < growth_max_kib);
}

TEST_CASE("raw frames: clients that say nothing keep others out for a moment",
          "[live][raw_frames]") {
  constexpr std::size_t idle_count = 300;
  broker::server_options options;
  options.connections_max = idle_count + 2; // and the couple
  small_broker broker{options};
  couple others{broker.server->port()};
  REQUIRE(others.works());
  std::vector<raw_peer> idle;
  while (idle.size() < idle_count) {
    idle.push_back(connect(broker.server->port()));
    if (idle.size() % 2 == 0)
      idle.back().send(sasl_header.substr(0, idle.size() % 7));
  }
  CHECK_FALSE(attached_client(broker.server->port()));
  CHECK(broker.told.tells("this broker takes 302 connections"));
  CHECK(others.works());
  for (auto& each : idle)
    CHECK(each.sees_end());
  CHECK(attached_client(broker.server->port()));
  CHECK(others.works());
}

TEST_CASE("raw frames: a client that says it byte by byte is no better",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  auto peer = connect(broker.server->port());
  CHECK(peer.trickle(slow_words(0x41)));
  CHECK(broker.told.tells("the peer did not open the connection in time"));
  CHECK(others.works());
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

TEST_CASE("raw frames: a broker that begins badly gets no further",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  raw_broker bad; // its node comes back each time
  for (const auto& each : openings()) {
    INFO(each.what);
    auto peer = bad.accept();
    peer.send(each.of_broker);
    CHECK(peer.sees_end());
    CHECK(bad.told->tells(each.reason));
    CHECK(others.works());
  }
}

TEST_CASE("raw frames: a broker that says it byte by byte loses its node",
          "[live][raw_frames]") {
  raw_broker bad;
  auto peer = bad.accept();
  CHECK(peer.trickle(slow_words(0x40)));
  CHECK(bad.told->tells("the peer did not open the connection in time"));
}

TEST_CASE(
    "raw frames: a million empty frames of a broker cost the node nothing",
    "[live][raw_frames]") {
  raw_broker bad;
  auto peer = bad.accept();
  raw_broker::attach(peer);
  const auto before = memory_peak_kib();
  REQUIRE(send_empty_frames(peer));
  peer.send(raw_transfer{.payload = ""}.frame());
  CHECK(bad.told->tells("a transfer has no payload")); // it went on listening
  CHECK(memory_peak_kib() - before < growth_max_kib);
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
