// Goal: whatever a conforming peer may write is understood, and everything
// else is an error that names the place. Method: bytes written by hand for
// every encoding; messages written by Proton; every truncation.
#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

#include <proton/annotation_key.hpp>
#include <proton/binary.hpp>
#include <proton/map.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/scalar.hpp>
#include <proton/symbol.hpp>
#include <proton/timestamp.hpp>
#include <proton/uuid.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace rookery;
using amqp::body_kind;
using amqp::decode_errc;
using amqp::decode_message;
using bridge::id_kind;
using tests::hex;

namespace {

const std::string data_hi = hex("00 53 75 a0 02 'hi'");

/// A properties section whose list8 holds `fields`, and a body.
std::string with_properties(std::size_t count, const std::string& fields) {
  std::string result = hex("00 53 73 c0");
  result += static_cast<char>(fields.size() + 1);
  result += static_cast<char>(count);
  return result + fields + data_hi;
}

std::string with_header(const std::string& list) {
  return hex("00 53 70") + list + data_hi;
}

amqp::decode_error error_of(const std::string& bytes,
                            const amqp::decode_limits& limits = {}) {
  const auto result = decode_message(bytes, limits);
  REQUIRE_FALSE(result);
  return result.error();
}

/// A message that uses all a foreign client may use.
std::string rich_message() {
  return hex("00 53 70 d0 00 00 00 0c 00 00 00 05 56 01 50 09 40 42 52 02"
             "00 53 71 c1 01 00"
             "00 53 72 c1 0a 02 a3 05 'x-opt' 54 07"
             "00 53 73 c0 27 08 53 2a a0 01 'u' b1 00 00 00 02 '/q'"
             "a1 01 'T' a1 02 '/r' 98 000102030405060708090a0b0c0d0e0f"
             "40 40"
             "00 53 74 c1 10 02 a1 0b 'traceparent' a1 00"
             "00 53 75 a0 01 'a' 00 53 75 b0 00 00 00 02 'bc'"
             "00 53 78 d1 00 00 00 04 00 00 00 00");
}

} // namespace

TEST_CASE("wire_decode: reads the plain form that we write", "[bridge][wire]") {
  const auto bytes = hex("00 53 70 c0 02 01 41"
                         "00 53 73 c0 27 07 a1 03 's-1' 40 40 a1 05 'pkg.T'"
                         "40 40 a3 14 'application/protobuf'")
                     + data_hi;
  const auto view = decode_message(bytes);
  REQUIRE(view);
  CHECK(view->durable);
  CHECK(view->message_id.kind == id_kind::string);
  CHECK(to_string(view->message_id) == "s-1");
  CHECK_FALSE(view->correlation_id.present);
  CHECK(view->type == "pkg.T");
  CHECK(view->content_type == "application/protobuf");
  CHECK(view->kind == body_kind::data);
  CHECK(view->body() == "hi");
  // One Data section is not copied.
  CHECK(view->body().data() == bytes.data() + bytes.size() - 2);
}

TEST_CASE("wire_decode: a body alone has the defaults of the standard",
          "[bridge][wire]") {
  const auto view = decode_message(data_hi);
  REQUIRE(view);
  CHECK_FALSE(view->durable);
  CHECK(view->priority == 4);
  CHECK_FALSE(view->ttl);
  CHECK_FALSE(view->first_acquirer);
  CHECK(view->delivery_count == 0);
  CHECK_FALSE(view->redelivered());
  CHECK_FALSE(view->message_id.present);
  CHECK(view->to_envelope().message_id.empty());
}

TEST_CASE("wire_decode: everything at once", "[bridge][wire]") {
  const auto bytes = rich_message();
  const auto view = decode_message(bytes);
  REQUIRE(view);
  CHECK(view->durable);
  CHECK(view->priority == 9);
  CHECK_FALSE(view->ttl);
  CHECK(view->first_acquirer == false);
  CHECK(view->delivery_count == 2);
  CHECK(view->redelivered());
  CHECK(to_string(view->message_id) == "42");
  CHECK(view->message_id.kind == id_kind::ulong);
  CHECK(view->to == "/q");
  CHECK(view->reply_to == "/r");
  CHECK(view->correlation_id.kind == id_kind::uuid);
  CHECK(to_string(view->correlation_id)
        == "00010203-0405-0607-0809-0a0b0c0d0e0f");
  CHECK(view->body() == "abc");
}

TEST_CASE("wire_decode: a header in every encoding", "[bridge][wire]") {
  const auto durable = [](const char* list) {
    const auto bytes = with_header(hex(list));
    const auto view = decode_message(bytes);
    REQUIRE(view);
    return view->durable;
  };
  CHECK_FALSE(durable("45"));
  CHECK_FALSE(durable("c0 01 00"));
  CHECK_FALSE(durable("d0 00 00 00 04 00 00 00 00"));
  CHECK(durable("c0 02 01 41"));
  CHECK_FALSE(durable("c0 02 01 42"));
  CHECK_FALSE(durable("c0 02 01 40"));
  CHECK(durable("c0 03 01 56 01"));
  CHECK_FALSE(durable("c0 03 01 56 00"));
  CHECK(durable("d0 00 00 00 05 00 00 00 01 41"));
  const auto ttl = [](const char* list) {
    const auto bytes = with_header(hex(list));
    const auto view = decode_message(bytes);
    REQUIRE(view);
    return view->ttl;
  };
  CHECK(ttl("c0 04 03 40 40 40") == std::nullopt);
  CHECK(ttl("c0 04 03 40 40 43") == 0U);
  CHECK(ttl("c0 05 03 40 40 52 ff") == 255U);
  CHECK(ttl("c0 08 03 40 40 70 ff ff ff fe") == 4294967294U);
}

TEST_CASE("wire_decode: a section may be named by its symbol or a wide number",
          "[bridge][wire]") {
  const auto bytes = hex("00 a3 10 'amqp:header:list' c0 02 01 41"
                         "00 80 00 00 00 00 00 00 00 73 c0 04 01 a1 01 'm'"
                         "00 b3 00 00 00 10 'amqp:data:binary' a0 02 'hi'");
  const auto view = decode_message(bytes);
  REQUIRE(view);
  CHECK(view->durable);
  CHECK(to_string(view->message_id) == "m");
}

TEST_CASE("wire_decode: an id keeps its type and has a canonical text",
          "[bridge][wire]") {
  const auto [field, kind,
              text] = GENERATE(table<const char*, id_kind, std::string>({
      {"a1 01 'x'", id_kind::string, "x"},
      {"b1 00 00 00 01 'x'", id_kind::string, "x"},
      {"44", id_kind::ulong, "0"},
      {"53 05", id_kind::ulong, "5"},
      {"80 00 00 00 00 00 00 00 05", id_kind::ulong, "5"},
      {"80 ff ff ff ff ff ff ff ff", id_kind::ulong, "18446744073709551615"},
      {"98 0123456789abcdef0123456789abcdef", id_kind::uuid,
       "01234567-89ab-cdef-0123-456789abcdef"},
      {"a0 03 00ff10", id_kind::binary, "00ff10"},
      {"b0 00 00 00 03 00ff10", id_kind::binary, "00ff10"},
  }));
  const auto bytes =
      with_properties(6, hex(std::string{"40 40 40 40 40 "} + field));
  const auto view = decode_message(bytes);
  REQUIRE(view);
  CHECK(view->correlation_id.present);
  CHECK(view->correlation_id.kind == kind);
  CHECK(to_string(view->correlation_id) == text);
  // And back: an answer carries the same id in the same type.
  std::string again;
  amqp::encode_message(view->to_envelope(), again);
  const auto second = decode_message(again);
  REQUIRE(second);
  CHECK(second->correlation_id.kind == kind);
  CHECK(to_string(second->correlation_id) == text);
}

TEST_CASE("wire_decode: strings and symbols of both widths", "[bridge][wire]") {
  const char* texts[] = {"a1 03 'abc'", "b1 00 00 00 03 'abc'", "a3 03 'abc'",
                         "b3 00 00 00 03 'abc'"};
  for (const char* text : texts) {
    CAPTURE(text);
    const auto bytes =
        with_properties(8, hex(std::string{"40 40 "} + text + text + text
                               + " 40 " + text + text));
    const auto view = decode_message(bytes);
    REQUIRE(view);
    CHECK(view->to == "abc");
    CHECK(view->type == "abc");
    CHECK(view->reply_to == "abc");
    CHECK(view->content_type == "abc");
    CHECK(view->content_encoding == "abc");
  }
}

TEST_CASE("wire_decode: properties beyond ours are passed over",
          "[bridge][wire]") {
  const auto bytes = with_properties(
      14, hex("a1 01 'm' a0 01 'u' 40 40 40 40 40 40"
              "83 00 00 00 00 00 00 00 01 83 00 00 00 00 00 00 00 02"
              "a1 01 'g' 70 00 00 00 01 a1 01 'r' 53 01"));
  const auto view = decode_message(bytes);
  REQUIRE(view);
  CHECK(to_string(view->message_id) == "m");
}

TEST_CASE("wire_decode: application properties of any type are passed over",
          "[bridge][wire]") {
  const char* values[] = {"40",
                          "41",
                          "42",
                          "43",
                          "44",
                          "45",
                          "50 01",
                          "51 01",
                          "52 01",
                          "53 01",
                          "54 01",
                          "55 01",
                          "56 01",
                          "60 0001",
                          "61 0001",
                          "70 00000001",
                          "71 00000001",
                          "72 00000000",
                          "73 00000041",
                          "74 00000000",
                          "80 0000000000000001",
                          "81 0000000000000001",
                          "82 0000000000000000",
                          "83 0000000000000000",
                          "84 0000000000000000",
                          "94 00000000000000000000000000000000",
                          "98 00000000000000000000000000000000",
                          "a0 01 00",
                          "a1 00",
                          "a3 00",
                          "b0 00000001 00",
                          "b1 00000000",
                          "b3 00000000",
                          "c0 01 00",
                          "c0 03 02 40 40",
                          "c1 01 00",
                          "d0 00000004 00000000",
                          "d1 00000004 00000000",
                          "e0 02 00 40",
                          "e0 04 02 50 01 02",
                          "f0 00000005 00000000 40",
                          "00 53 01 40",
                          "00 a3 01 'x' c0 01 00",
                          "00 00 53 01 53 02 00 53 03 43"};
  for (const char* value : values) {
    CAPTURE(value);
    const auto pairs = hex(std::string{"a1 01 'k' "} + value
                           + " a1 0b 'traceparent' a1 01 't'"
                             " a1 0a 'tracestate' 53 01");
    std::string bytes = hex("00 53 74 c1");
    bytes += static_cast<char>(pairs.size() + 1);
    bytes += static_cast<char>(6);
    bytes += pairs + data_hi;
    const auto view = decode_message(bytes);
    REQUIRE(view);
    CHECK(view->trace_parent == "t");
    CHECK(view->trace_state.empty()); // a number is not a trace state
    CHECK(view->body() == "hi");
  }
}

TEST_CASE("wire_decode: unknown sections are passed over", "[bridge][wire]") {
  const auto bytes = hex("00 53 99 c0 01 00 00 a3 03 'x:y' 43"
                         "00 a1 01 's' 43 00 53 75 a0 02 'hi'"
                         "00 80 ff ff ff ff ff ff ff ff 40");
  const auto view = decode_message(bytes);
  REQUIRE(view);
  CHECK(view->body() == "hi");
}

TEST_CASE("wire_decode: bodies", "[bridge][wire]") {
  const auto body = [](const char* text) {
    const auto bytes = hex(text);
    const auto view = decode_message(bytes);
    REQUIRE(view);
    return std::pair{view->kind, std::string{view->body()}};
  };
  using pair = std::pair<body_kind, std::string>;
  CHECK(body("00 53 75 a0 00") == pair{body_kind::data, ""});
  CHECK(body("00 53 75 a0 00 00 53 75 a0 01 'x'")
        == pair{body_kind::data, "x"});
  CHECK(body("00 53 75 a0 01 'x' 00 53 75 a0 00")
        == pair{body_kind::data, "x"});
  CHECK(body("00 53 75 a0 01 'x' 00 53 75 a0 01 'y' 00 53 75 a0 01 'z'")
        == pair{body_kind::data, "xyz"});
  CHECK(body("00 53 77 a0 01 'x'") == pair{body_kind::value_binary, "x"});
  CHECK(body("00 53 77 b0 00000001 'x'") == pair{body_kind::value_binary, "x"});
  CHECK(body("00 53 77 a1 02 '{}'") == pair{body_kind::value_string, "{}"});
  CHECK(body("00 53 77 b1 00000002 '{}'")
        == pair{body_kind::value_string, "{}"});
}

TEST_CASE("wire_decode: a body we cannot read is a typed error",
          "[bridge][wire]") {
  CHECK(error_of("").code == decode_errc::no_body);
  CHECK(error_of(hex("00 53 70 45")).code == decode_errc::no_body);
  CHECK(error_of(hex("00 53 76 45")).code == decode_errc::unsupported_body);
  CHECK(error_of(hex("00 53 77 40")).code == decode_errc::unsupported_body);
  CHECK(error_of(hex("00 53 77 c1 01 00")).code
        == decode_errc::unsupported_body);
  CHECK(error_of(hex("00 53 77 00 53 01 40")).code
        == decode_errc::unsupported_body);
  CHECK(to_string(error_of(hex("00 53 70 45"))) == "no body section at byte 4");
}

TEST_CASE("wire_decode: sections come once and in order", "[bridge][wire]") {
  const auto order = [](const char* text) { return error_of(hex(text)).code; };
  CHECK(order("00 53 75 a0 00 00 53 70 45") == decode_errc::bad_order);
  CHECK(order("00 53 70 45 00 53 70 45") == decode_errc::bad_order);
  CHECK(order("00 53 73 45 00 53 72 c1 01 00") == decode_errc::bad_order);
  CHECK(order("00 53 75 a0 00 00 53 77 a0 00") == decode_errc::bad_order);
  CHECK(order("00 53 77 a0 00 00 53 75 a0 00") == decode_errc::bad_order);
  CHECK(order("00 53 78 c1 01 00 00 53 75 a0 00") == decode_errc::bad_order);
}

TEST_CASE("wire_decode: malformed bytes are errors at their place",
          "[bridge][wire]") {
  const auto [text, code, offset] =
      GENERATE(table<const char*, decode_errc, std::size_t>({
          {"ff", decode_errc::unexpected_type, 0},
          {"53 70 45", decode_errc::unexpected_type, 0},
          {"00 53 70 41", decode_errc::unexpected_type, 3},
          {"00 53 70 c0 02 01 50", decode_errc::unexpected_type, 6},
          {"00 53 70 c0 01 02", decode_errc::bad_size, 3},
          {"00 53 70 c0 00", decode_errc::bad_size, 3},
          {"00 53 70 d0 00000004 ffffffff", decode_errc::bad_size, 3},
          {"00 53 70 d0 ffffffff 00000001", decode_errc::truncated, 8},
          {"00 53 73 c0 03 01 a1 05", decode_errc::truncated, 8},
          {"00 53 74 c1 02 01 40", decode_errc::bad_size, 7},
          {"00 53 74 c0 01 00", decode_errc::unexpected_type, 3},
          {"00 53 74 c1 03 02 43 40", decode_errc::unexpected_type, 6},
          {"00 53 75 a1 00", decode_errc::unexpected_type, 3},
          {"00 53 99 10", decode_errc::unexpected_type, 3},
      }));
  CAPTURE(text);
  const auto error = error_of(hex(text));
  CHECK(error.code == code);
  CHECK(error.offset == offset);
}

TEST_CASE("wire_decode: depth and length have limits", "[bridge][wire]") {
  // 20'000 descriptors within descriptors: no stack is used up.
  std::string deep = hex("00 53 99");
  deep.append(20'000, '\0');
  CHECK(error_of(deep).code == decode_errc::too_deep);
  std::string deep_descriptor(20'000, '\0');
  CHECK(error_of(deep_descriptor).code == decode_errc::too_deep);
  amqp::decode_limits limits;
  limits.message_bytes_max = data_hi.size();
  CHECK(decode_message(data_hi, limits));
  limits.message_bytes_max -= 1;
  CHECK(error_of(data_hi, limits).code == decode_errc::too_long);
}

TEST_CASE("wire_decode: every truncation is an error, read within its bytes",
          "[bridge][wire]") {
  const auto whole = rich_message();
  const auto body_ends = whole.size() - 12; // in front of the footer
  const auto first_body = body_ends - 10;   // in front of the second Data
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    // A buffer of just that size: a sanitizer sees a read past its end.
    const auto copy = std::make_unique<char[]>(size);
    std::memcpy(copy.get(), whole.data(), size);
    const auto result = decode_message({copy.get(), size});
    const bool complete = size == first_body || size == body_ends;
    CHECK(result.has_value() == complete);
    if (!result)
      CHECK(result.error().offset <= size);
  }
}

TEST_CASE("wire_decode: reads what proton writes", "[bridge][wire]") {
  proton::message m;
  m.inferred(true);
  m.body(proton::binary{"payload"});
  m.durable(true);
  m.priority(2);
  m.ttl(proton::duration{70'000});
  m.delivery_count(3);
  m.user("somebody");
  m.to("/queues/q");
  m.subject("pkg.T");
  m.reply_to("/queues/r");
  m.content_type("application/protobuf");
  m.content_encoding("identity");
  m.expiry_time(proton::timestamp{1});
  m.creation_time(proton::timestamp{2});
  m.group_id("g");
  m.group_sequence(-1);
  m.reply_to_group_id("h");
  m.properties().put("traceparent", "00-a-b-01");
  m.properties().put("n", 5);
  m.message_annotations().put(proton::symbol{"x-opt-a"}, "v");
  const auto id = GENERATE(
      std::pair{proton::message_id{"text"}, std::string{"text"}},
      std::pair{proton::message_id{std::uint64_t{77}}, std::string{"77"}},
      std::pair{proton::message_id{proton::uuid::copy("0123456789abcdef")},
                std::string{"30313233-3435-3637-3839-616263646566"}},
      std::pair{proton::message_id{proton::binary{"\x01\x02"}},
                std::string{"0102"}});
  m.id(id.first);
  m.correlation_id(id.first);
  const auto bytes = m.encode();
  const auto view = decode_message({bytes.data(), bytes.size()});
  REQUIRE(view);
  const auto x = view->to_envelope();
  CHECK(x.message_id == id.second);
  CHECK(x.correlation_id == id.second);
  CHECK(x.durable);
  CHECK(x.priority == 2);
  CHECK(x.ttl == std::chrono::milliseconds{70'000});
  CHECK(x.delivery_count == 3);
  CHECK(x.redelivered());
  CHECK(x.to == "/queues/q");
  CHECK(x.type == "pkg.T");
  CHECK(x.reply_to == "/queues/r");
  CHECK(x.content_type == "application/protobuf");
  CHECK(view->content_encoding == "identity");
  CHECK(x.trace_parent == "00-a-b-01");
  CHECK(x.body == "payload");
  // The answer's correlation-id is equal for proton, type and all.
  bridge::envelope answer;
  answer.correlation_id = x.message_id;
  answer.correlation_id_kind = x.message_id_kind;
  std::string out;
  amqp::encode_message(answer, out);
  proton::message read;
  read.decode(std::vector<char>{out.begin(), out.end()});
  CHECK(read.correlation_id() == m.id());
}

TEST_CASE("wire_decode: proton's default body is a value", "[bridge][wire]") {
  proton::message m{proton::binary{"x"}};
  auto bytes = m.encode();
  auto view = decode_message({bytes.data(), bytes.size()});
  REQUIRE(view);
  CHECK(view->kind == body_kind::value_binary);
  CHECK(view->body() == "x");
  m.body("{}");
  bytes = m.encode();
  view = decode_message({bytes.data(), bytes.size()});
  REQUIRE(view);
  CHECK(view->kind == body_kind::value_string);
}
