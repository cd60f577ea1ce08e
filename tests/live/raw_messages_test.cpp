// Goal: a message that cannot be read is given up by who should read it, with
// the reason, never accepted; its neighbours pass. Method: bad messages, byte
// by byte, from a client by way of the embedded broker to a node, and from a
// raw broker to a node.
#include "bridge/amqp/wire/message_encoder.hpp"
#include "tests/live/raw_rig.hpp"

#include <string>
#include <string_view>
#include <vector>

using namespace rookery;
using namespace rookery::tests;

namespace {

constexpr std::size_t payload_max = 60'000; // of a frame

/// A message in as many frames as it takes.
std::string message(raw_transfer x, std::string_view bytes,
                    std::uint16_t channel = 0) {
  std::string frames;
  for (x.more = hex("41"); bytes.size() > payload_max;
       bytes.remove_prefix(payload_max)) {
    x.payload = bytes.substr(0, payload_max);
    frames += x.frame(channel);
  }
  x.more = hex("42");
  x.payload = bytes;
  return frames + x.frame(channel);
}

std::string encoded(const std::string& type, const std::string& body) {
  bridge::envelope x;
  x.type = type;
  x.body = body;
  std::string result;
  amqp::encode_message(x, result);
  return result;
}
std::string post(const std::string& body) {
  return encoded("rookery.service.v1.PostTweetRequest", body);
}

struct bad_message {
  std::string what;
  std::string bytes;
  std::string reason;
  bool by_broker = false; // which reads no further than the properties
};

std::vector<bad_message> bad_messages() {
  const auto in_value = hex("00 53 77");
  return {
      {"no message", "garbage", "", true},
      {"a section that is cut off", hex("00 53 73 c0 20 01"), "", true},
      {"a header that is no list", hex("00 53 70 a1 01 'h'"), "", true},
      {"a text for a body", in_value + hex("a1 02 'hi'"), ""},
      {"nothing for a body", in_value + hex("40"), ""},
      {"a sequence for a body", hex("00 53 76 45"), ""},
      {"65,000 lists within each other", in_value + raw_nested(65'000), ""},
      {"properties within each other",
       hex("00 53 74") + raw_nested(1'000) + hex("00 53 75 a0 00"), ""},
      {"a body that is cut off", hex("00 53 75 b0 7f ff ff ff 'x'"), ""},
      {"a body twice, of two kinds", hex("00 53 75 a0 00 00 53 77 40"), ""},
      {"a type that nobody knows", encoded("some.Type", ""),
       "messages of type \"some.Type\" are not taken here"},
      {"a type that is known, and garbage", post("\xff\xff\xff"),
       "the body is not a rookery.service.v1.PostTweetRequest"},
      {"a length of more than there is", post(hex("12 ff ff ff ff 07")),
       "the body is not a rookery.service.v1.PostTweetRequest"},
  };
}

} // namespace

TEST_CASE("raw frames: a client's bad message is refused where it is read",
          "[live][raw_frames]") {
  small_broker broker;
  couple others{broker.server->port()};
  auto peer = attached_client(broker.server->port());
  REQUIRE(peer);
  char number = 0;
  for (const auto& each : bad_messages()) {
    INFO(each.what);
    peer->send(message({.delivery_id = hex("52") + number++}, each.bytes));
    if (each.by_broker)
      CHECK(broker.told.tells("amqp:decode-error"));
    else
      CHECK(others.told().tells("delivery-refused\ntarget: " + each.reason));
    CHECK(others.works());
  }
}

TEST_CASE("raw frames: a broker's bad message is given back, never accepted",
          "[live][raw_frames]") {
  raw_broker bad;
  auto peer = bad.accept();
  raw_manners said;
  REQUIRE(peer.agree(said, [&] { return said.plain_links().size() == 2; }));
  REQUIRE(bad.told->tells("broker-up"));
  const auto to = said.plain_links().back();
  char number = 0;
  // What becomes of a message, by the descriptor of its outcome.
  const auto outcome_of = [&](const std::string& bytes) {
    said.said.clear();
    peer.send(
        message({.handle = to.handle, .delivery_id = hex("52") + number++},
                bytes, to.channel));
    const auto disposition = hex("00 53 15");
    std::size_t at = 0;
    REQUIRE(peer.agree(said, [&] {
      at = said.said.find(disposition);
      return at != std::string::npos;
    }));
    at = said.said.find(hex("00 53"), at + disposition.size());
    return at == std::string::npos ? std::string{} : said.said.substr(at, 3);
  };
  const auto good = raw_accepted.substr(0, 3);
  const auto modified = hex("00 53 27"); // as not deliverable, with a note
  CHECK(outcome_of(post("")) == good);
  for (const auto& each : bad_messages()) {
    INFO(each.what);
    CHECK(outcome_of(each.bytes) == modified);
    CHECK(bad.told->tells("delivery-refused\nq: " + each.reason));
    CHECK(outcome_of(post("")) == good);
  }
}
