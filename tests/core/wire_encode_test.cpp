// Goal: what we put on the wire is exactly what the standard says, and what an
// independent implementation reads. Method: bytes worked out by hand, and
// Proton as the other side.
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

#include <proton/codec/decoder.hpp>
#include <proton/map.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/scalar.hpp>
#include <proton/uuid.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace rookery;
using bridge::envelope;
using bridge::id_kind;
using tests::hex;
using tests::to_hex;

namespace {

std::string encode(const envelope& x) {
  std::string out;
  amqp::encode_message(x, out);
  return out;
}

proton::message read_with_proton(const std::string& bytes) {
  proton::message result;
  result.decode(std::vector<char>{bytes.begin(), bytes.end()});
  return result;
}

std::string body_of(const proton::message& x) {
  const auto body = proton::get<proton::binary>(x.body());
  return {body.begin(), body.end()};
}

envelope full_envelope() {
  envelope x;
  x.message_id = "s-1";
  x.to = "/queues/q";
  x.type = "pkg.T";
  x.reply_to = "/queues/r";
  x.correlation_id = "c";
  x.content_type = "text/plain";
  x.ttl = std::chrono::milliseconds{5000};
  x.priority = 7;
  x.body = "hi";
  return x;
}

} // namespace

TEST_CASE("wire_encode: a plain send is header, properties, data",
          "[bridge][wire]") {
  envelope x;
  x.message_id = "s-1";
  x.type = "pkg.T";
  x.content_type = "application/protobuf";
  x.body = "hi";
  CHECK(to_hex(encode(x))
        == to_hex(hex("00 53 70 c0 02 01 41"
                      "00 53 73 c0 27 07 a1 03 's-1' 40 40 a1 05 'pkg.T' 40 40"
                      "a3 14 'application/protobuf'"
                      "00 53 75 a0 02 'hi'")));
}

TEST_CASE("wire_encode: every field has its place", "[bridge][wire]") {
  CHECK(to_hex(encode(full_envelope()))
        == to_hex(hex("00 53 70 c0 09 03 41 50 07 70 00 00 13 88"
                      "00 53 73 c0 33 07 a1 03 's-1' 40 a1 09 '/queues/q'"
                      "a1 05 'pkg.T' a1 09 '/queues/r' a1 01 'c'"
                      "a3 0a 'text/plain'"
                      "00 53 75 a0 02 'hi'")));
}

TEST_CASE("wire_encode: an empty envelope still has a header and a body",
          "[bridge][wire]") {
  CHECK(to_hex(encode({})) == "00 53 70 c0 02 01 41 00 53 75 a0 00");
}

TEST_CASE("wire_encode: not durable is said, not left out", "[bridge][wire]") {
  envelope x;
  x.durable = false;
  CHECK(to_hex(encode(x)) == "00 53 70 c0 02 01 42 00 53 75 a0 00");
}

TEST_CASE("wire_encode: a ttl without a priority leaves its place null",
          "[bridge][wire]") {
  envelope x;
  const auto header = [&x](std::chrono::milliseconds ttl) {
    x.ttl = ttl;
    return to_hex(encode(x).substr(0, encode(x).size() - 5));
  };
  CHECK(header(std::chrono::milliseconds{0}) == "00 53 70 c0 04 03 41 40 43");
  CHECK(header(std::chrono::milliseconds{255})
        == "00 53 70 c0 05 03 41 40 52 ff");
  CHECK(header(std::chrono::milliseconds{256})
        == "00 53 70 c0 08 03 41 40 70 00 00 01 00");
  CHECK(header(std::chrono::milliseconds{-3}) == "00 53 70 c0 04 03 41 40 43");
  CHECK(header(std::chrono::hours{24 * 365})
        == "00 53 70 c0 08 03 41 40 70 ff ff ff ff");
}

TEST_CASE("wire_encode: trailing absent properties are left out",
          "[bridge][wire]") {
  envelope x;
  const auto properties = [&x] {
    const auto bytes = encode(x);
    return to_hex(bytes.substr(7, bytes.size() - 12));
  };
  x.message_id = "a";
  CHECK(properties() == "00 53 73 c0 04 01 a1 01 61");
  x.to = "b";
  CHECK(properties() == "00 53 73 c0 08 03 a1 01 61 40 a1 01 62");
  x.message_id.clear();
  x.correlation_id = "c";
  CHECK(properties() == "00 53 73 c0 0b 06 40 40 a1 01 62 40 40 a1 01 63");
  x = {};
  x.reply_to = "r";
  CHECK(properties() == "00 53 73 c0 08 05 40 40 40 40 a1 01 72");
}

TEST_CASE("wire_encode: long fields and lists take the wide form",
          "[bridge][wire]") {
  envelope x;
  for (std::size_t length : {0U, 1U, 200U, 240U, 247U, 248U, 249U, 250U, 251U,
                             252U, 253U, 254U, 255U, 256U, 257U, 70'000U}) {
    CAPTURE(length);
    x.message_id = std::string(length, 'm');
    x.body = std::string(length, 'b');
    const auto bytes = encode(x);
    const auto view = amqp::decode_message(bytes);
    REQUIRE(view);
    CHECK(view->to_envelope().message_id == x.message_id);
    CHECK(view->body() == x.body);
    const auto read = read_with_proton(bytes);
    CHECK(body_of(read) == x.body);
    if (length > 0)
      CHECK(proton::get<std::string>(read.id()) == x.message_id);
  }
}

TEST_CASE("wire_encode: proton reads every field", "[bridge][wire]") {
  auto x = full_envelope();
  x.trace_parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  x.trace_state = "vendor=1";
  const auto read = read_with_proton(encode(x));
  CHECK(read.durable());
  CHECK(read.priority() == 7);
  CHECK(read.ttl() == proton::duration{5000});
  CHECK(proton::get<std::string>(read.id()) == "s-1");
  CHECK(read.user().empty());
  CHECK(read.to() == "/queues/q");
  CHECK(read.subject() == "pkg.T");
  CHECK(read.reply_to() == "/queues/r");
  CHECK(proton::get<std::string>(read.correlation_id()) == "c");
  CHECK(read.content_type() == "text/plain");
  CHECK(body_of(read) == "hi");
  CHECK(read.properties().size() == 2);
  CHECK(proton::get<std::string>(read.properties().get("traceparent"))
        == x.trace_parent);
  CHECK(proton::get<std::string>(read.properties().get("tracestate"))
        == x.trace_state);
}

TEST_CASE("wire_encode: an id goes out in the AMQP type it came in",
          "[bridge][wire]") {
  envelope x;
  x.correlation_id_kind = id_kind::ulong;
  x.correlation_id = "18446744073709551615";
  CHECK(proton::get<std::uint64_t>(read_with_proton(encode(x)).correlation_id())
        == 18446744073709551615U);
  x.correlation_id = "0";
  CHECK(proton::get<std::uint64_t>(read_with_proton(encode(x)).correlation_id())
        == 0);
  x.correlation_id_kind = id_kind::uuid;
  x.correlation_id = "01234567-89ab-cdef-0123-456789abcdef";
  const auto uuid =
      proton::get<proton::uuid>(read_with_proton(encode(x)).correlation_id());
  CHECK(uuid.str() == x.correlation_id);
  x.correlation_id_kind = id_kind::binary;
  x.correlation_id = "00ff10";
  const auto binary =
      proton::get<proton::binary>(read_with_proton(encode(x)).correlation_id());
  CHECK(std::string{binary.begin(), binary.end()} == hex("00 ff 10"));
}

TEST_CASE("wire_encode: an id that does not fit its kind goes out as a string",
          "[bridge][wire]") {
  envelope x;
  const auto [kind, text] = GENERATE(table<id_kind, std::string>({
      {id_kind::ulong, "18446744073709551616"},
      {id_kind::ulong, "-1"},
      {id_kind::ulong, "1x"},
      {id_kind::uuid, "01234567-89ab-cdef-0123-456789abcde"},
      {id_kind::uuid, "01234567x89ab-cdef-0123-456789abcdef"},
      {id_kind::uuid, "01234567-89ab-cdef-0123-456789abcdeg"},
      {id_kind::binary, "abc"},
      {id_kind::binary, "AB"},
  }));
  x.message_id = text;
  x.message_id_kind = kind;
  CHECK(proton::get<std::string>(read_with_proton(encode(x)).id()) == text);
}

TEST_CASE("wire_encode: appends, and encode_head leaves the body to the caller",
          "[bridge][wire]") {
  const auto x = full_envelope();
  std::string out = "before";
  amqp::encode_message(x, out);
  CHECK(out == "before" + encode(x));
  std::string head;
  amqp::encode_head(x, x.body.size(), head);
  CHECK(head + x.body == encode(x));
  CHECK(head.capacity() >= encode(x).size());
}
