// Goal: the worked example in docs/PROTOCOL.md is what we send, byte for byte,
// and means what its comments say. Method: read the document.
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

#include <fstream>
#include <string>
#include <vector>

using namespace rookery;

namespace {

/// The bytes of each ```hex block; behind a ';' stand comments.
std::vector<std::string> hex_blocks(const std::string& path) {
  std::ifstream in{path};
  std::vector<std::string> result;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "```hex") {
      inside = true;
      result.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      result.back() += tests::hex(line.substr(0, line.find(';')));
    }
  }
  return result;
}

std::string encode(const bridge::envelope& x) {
  std::string out;
  amqp::encode_message(x, out);
  return out;
}

} // namespace

TEST_CASE("protocol_example: the document shows what the codec makes",
          "[bridge][wire]") {
  const auto blocks = hex_blocks(ROOKERY_SOURCE_DIR "/docs/PROTOCOL.md");
  REQUIRE(blocks.size() == 2);
  bridge::envelope question;
  question.message_id = "2aeebe73e7ef544f.0-1";
  question.type = "ping_pong.Ping";
  question.reply_to = "/queues/rookery.reply.ping.2aeebe73e7ef544f";
  question.content_type = "application/protobuf";
  question.body = "\x08\x03"; // field 1, varint 3
  CHECK(tests::to_hex(blocks[0]) == tests::to_hex(encode(question)));

  bridge::envelope answer;
  answer.message_id = "9c01d7f25be36a88.r-1";
  answer.to = question.reply_to;
  answer.type = "ping_pong.Pong";
  answer.correlation_id = question.message_id;
  answer.content_type = question.content_type;
  answer.body = question.body;
  CHECK(tests::to_hex(blocks[1]) == tests::to_hex(encode(answer)));

  const auto read = amqp::decode_message(blocks[1]);
  REQUIRE(read);
  CHECK(read->to_envelope() == answer);
}
