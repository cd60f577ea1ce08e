// Goal: the frame guard lets through what is well-formed and ends the
// connection, for the right reason, at what is not. Method: bytes written down
// by hand, whole and one at a time, which must come to the same.
#include "tests/core/frame_guard_feed.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/raw_frame.hpp"

#include <string>

using namespace rookery;
using namespace rookery::tests;

namespace {

amqp::frame_guard_options server() { return {.server = true}; }

/// The same, whole and byte by byte; both must come to the same reason.
result judge(const std::string& bytes,
             const amqp::frame_guard_options& options = server()) {
  amqp::frame_guard first{options};
  amqp::frame_guard second{options};
  const auto whole = feed(first, bytes, bytes.size());
  const auto bytewise = feed(second, bytes, 1);
  CHECK(whole.reason == bytewise.reason);
  // Of the frame at fault some bytes may have gone, never the last.
  CHECK(whole.passed <= bytewise.passed);
  if (whole.reason.empty())
    CHECK(whole.passed == bytewise.passed);
  else
    CHECK(bytewise.passed < bytes.size());
  return whole;
}

std::string opened() { return amqp_header + raw_open(); }
std::string attached() { return opened() + raw_begin() + raw_attach(); }

/// The reason for `bad` behind an attached link; what stands in front of it
/// must have been passed on.
std::string behind_attach(const std::string& bad,
                          const amqp::frame_guard_options& options = server()) {
  const auto x = judge(attached() + bad, options);
  CHECK((x.passed == attached().size() || x.reason.empty()));
  return x.reason;
}

} // namespace

TEST_CASE("frame guard: a conversation of every performative passes",
          "[amqp][frame_guard]") {
  const auto all =
      sasl_header + sasl_frame(0x41, 1, hex("a3 09 'ANONYMOUS'")) + attached()
      + raw_frame("") // a sign of life
      + raw_frame(performative(0x13, 7, hex("43 52 64 43 52 64 43 43 52 0a")))
      + raw_transfer{}.frame()
      + raw_frame(performative(0x15, 5, hex("42 43 40 41 00 53 24 45")))
      + raw_frame(performative(0x16, 2, hex("43 41")))
      + raw_frame(performative(0x17, 0, ""))
      + raw_frame(performative(0x18, 0, ""));
  CHECK(judge(all) == result{all.size(), ""});
}

TEST_CASE("frame guard: nothing counts behind a CLOSE", "[amqp][frame_guard]") {
  const auto all = opened() + raw_frame(performative(0x18, 0, ""));
  CHECK(judge(all + "whatever") == result{all.size(), ""});
}

TEST_CASE("frame guard: who speaks something else is refused at its first word",
          "[amqp][frame_guard]") {
  CHECK(judge("GET / HTTP/1.1\r\n\r\n")
        == result{0, "amqp:connection:framing-error: the peer does not speak "
                     "AMQP"});
  CHECK(judge(hex("16 03 01 02 00 01 00 01 fc 03 03")).reason
        == "amqp:connection:framing-error: the peer does not speak AMQP");
  CHECK(judge(hex("'AMQP' 02 01 00 00")).reason
        == "amqp:connection:framing-error: the peer asks for TLS");
}

TEST_CASE("frame guard: another version of AMQP is left to the engine, and "
          "nothing else",
          "[amqp][frame_guard]") {
  const auto old = hex("'AMQP' 00 00 09 01");
  CHECK(judge(old + "and more") == result{8, ""});
  // So is a header that comes too early.
  CHECK(judge(sasl_header + amqp_header + raw_open()) == result{16, ""});
}

TEST_CASE("frame guard: SASL has one frame from a client, two from a server",
          "[amqp][frame_guard]") {
  const auto init = sasl_frame(0x41, 1, hex("a3 09 'ANONYMOUS'"));
  const auto mechanisms = sasl_frame(0x40, 1, hex("a3 05 'PLAIN'"));
  const auto challenge = sasl_frame(0x42, 1, hex("a0 01 '?'"));
  const auto outcome = sasl_frame(0x44, 1, hex("50 00"));
  const std::string refused =
      "amqp:illegal-state: a SASL frame that may not come now";
  CHECK(judge(sasl_header + init + init).reason == refused);
  CHECK(judge(sasl_header + mechanisms).reason == refused);
  const amqp::frame_guard_options client{};
  const auto all = sasl_header + mechanisms + outcome + opened();
  CHECK(judge(all, client) == result{all.size(), ""});
  CHECK(judge(sasl_header + outcome, client).reason == refused);
  CHECK(judge(sasl_header + mechanisms + challenge, client).reason == refused);
  CHECK(judge(sasl_header + sasl_frame(0x41, 1, "a").substr(0, 14)
              + std::string(1, '\x01'))
            .reason
        == "amqp:decode-error: a SASL frame is malformed");
  CHECK(judge(sasl_header + raw_frame(std::string(600, 'x'), 0, 1)).reason
        == "amqp:connection:framing-error: a frame has 608 bytes, the most is "
           "512");
}

TEST_CASE("frame guard: frames have limits", "[amqp][frame_guard]") {
  CHECK(judge(opened() + hex("00 02 00 01 02 00 00 00")).reason
        == "amqp:connection:framing-error: a frame has 131073 bytes, the most "
           "is 131072");
  const std::string bad =
      "amqp:connection:framing-error: a frame's header does not fit its size";
  CHECK(judge(opened() + hex("00 00 00 00 02 00 00 00")).reason == bad);
  CHECK(judge(opened() + hex("00 00 00 08 01 00 00 00")).reason == bad);
  CHECK(judge(opened() + hex("00 00 00 0b 03 00 00 00")).reason == bad);
  CHECK(judge(opened() + hex("00 00 00 08 02 01 00 00")).reason
        == "amqp:connection:framing-error: a frame of another type than may "
           "come now");
}

TEST_CASE("frame guard: OPEN is first and only", "[amqp][frame_guard]") {
  CHECK(judge(amqp_header + raw_begin()).reason
        == "amqp:illegal-state: a frame in front of the OPEN");
  CHECK(judge(amqp_header + raw_transfer{}.frame()).reason
        == "amqp:illegal-state: a frame in front of the OPEN");
  CHECK(judge(opened() + raw_open()).reason
        == "amqp:illegal-state: a second OPEN");
}

TEST_CASE("frame guard: channels and handles are used once",
          "[amqp][frame_guard]") {
  CHECK(judge(opened() + raw_begin(63)).reason.empty());
  CHECK(judge(opened() + raw_begin(64)).reason
        == "amqp:connection:framing-error: channel 64 is above the greatest we "
           "allow");
  CHECK(behind_attach(raw_begin())
        == "amqp:not-allowed: a channel was begun "
           "twice");
  CHECK(behind_attach(raw_attach())
        == "amqp:session:handle-in-use: a handle was attached twice");
  auto few = server();
  few.links_max = 1;
  CHECK(behind_attach(raw_attach(1), few)
        == "amqp:resource-limit-exceeded: more than 1 links on one connection");
  const auto detach = raw_frame(performative(0x16, 2, hex("43 41")));
  CHECK(behind_attach(detach + raw_attach(), few).empty());
  const auto end = raw_frame(performative(0x17, 0, ""));
  CHECK(behind_attach(end + raw_begin() + raw_attach(), few).empty());
  const auto far =
      raw_frame(performative(0x12, 3, hex("a1 01 'm' 70 80 00 00 00 42")));
  CHECK(behind_attach(far) == "amqp:invalid-field: a handle is out of range");
}

TEST_CASE("frame guard: settle modes are those that AMQP has",
          "[amqp][frame_guard]") {
  const std::string malformed = "amqp:decode-error: a frame is malformed";
  const auto with = [](std::string_view modes) {
    return judge(opened() + raw_begin()
                 + raw_frame(performative(0x12, 5,
                                          hex("a1 01 'm' 43 42") + hex(modes))))
        .reason;
  };
  CHECK(with("50 02 50 01").empty());
  CHECK(with("40 40").empty());
  CHECK(with("50 03 50 00") == malformed);
  CHECK(with("50 b3 40") == malformed);
  CHECK(with("50 00 50 02") == malformed);
  CHECK(with("52 00 40") == malformed); // a uint
}

TEST_CASE("frame guard: a session of ours is answered once",
          "[amqp][frame_guard]") {
  const auto answer =
      raw_frame(performative(0x11, 4, hex("60 00 00 43 52 64 52 64")));
  const auto again =
      raw_frame(performative(0x11, 4, hex("60 00 00 43 52 64 52 64")), 1);
  CHECK(judge(opened() + answer).reason
        == "amqp:not-allowed: a session was answered that we never began");
  amqp::frame_guard guard{server()};
  guard.session_begun();
  guard.session_begun();
  CHECK(feed(guard, opened() + answer, 1'000).reason.empty());
  CHECK(feed(guard, again, 1'000).reason
        == "amqp:not-allowed: a session of ours was answered twice");
}

TEST_CASE("frame guard: a delivery needs a delivery-id, a handle and a payload",
          "[amqp][frame_guard]") {
  CHECK(behind_attach(raw_transfer{}.frame()).empty());
  CHECK(behind_attach(raw_transfer{.delivery_id = hex("40")}.frame())
        == "amqp:invalid-field: a delivery has no delivery-id");
  CHECK(behind_attach(
            raw_transfer{.delivery_id = hex("40"), .more = hex("41")}.frame())
        == "amqp:invalid-field: a delivery has no delivery-id");
  CHECK(behind_attach(raw_transfer{.payload = ""}.frame())
        == "amqp:decode-error: a transfer has no payload");
  CHECK(behind_attach(raw_transfer{.handle = hex("52 07")}.frame())
        == "amqp:session:unattached-handle: a transfer on a handle that is not "
           "attached");
  CHECK(behind_attach(raw_transfer{}.frame(1))
        == "amqp:session:unattached-handle: a transfer on a handle that is not "
           "attached");
  const auto receiver =
      raw_frame(performative(0x12, 3, hex("a1 01 'm' 52 01 41")));
  CHECK(behind_attach(receiver).empty());
  CHECK(judge(attached() + receiver
              + raw_transfer{.handle = hex("52 01")}.frame())
            .reason
        == "amqp:not-allowed: a transfer on a link that receives");
}

TEST_CASE("frame guard: an aborted transfer ends the connection",
          "[amqp][frame_guard]") {
  const std::string aborted = "amqp:not-implemented: a transfer was aborted";
  CHECK(behind_attach(raw_transfer{.aborted = hex("41")}.frame()) == aborted);
  CHECK(judge(attached() + raw_transfer{.more = hex("41")}.frame()
              + raw_transfer{.delivery_id = hex("40"),
                             .aborted = hex("41"),
                             .payload = ""}
                    .frame())
            .reason
        == aborted);
}

TEST_CASE("frame guard: credit that Proton would take for less than none ends "
          "the connection",
          "[amqp][frame_guard]") {
  const auto receiver =
      raw_frame(performative(0x12, 3, hex("a1 01 'm' 52 01 41")));
  const auto flow = [&](std::string_view handle, std::string_view credit) {
    return judge(attached() + receiver
                 + raw_frame(performative(0x13, 7,
                                          hex("43 43 43 43") + hex(handle)
                                              + hex("43") + hex(credit))))
        .reason;
  };
  CHECK(flow("52 01", "70 7f ff ff ff").empty());
  CHECK(flow("52 01", "70 80 00 00 00")
        == "amqp:not-implemented: a link credit of more than 2147483647");
  CHECK(flow("52 01", "70 ff ff ff ff")
        == "amqp:not-implemented: a link credit of more than 2147483647");
  CHECK(flow("52 01", "40").empty());
  CHECK(flow("52 07", "70 ff ff ff ff").empty()); // the engine says so
  // Who sends only says what is left.
  CHECK(flow("43", "70 ff ff ff ff").empty());
  CHECK(flow("52 01", "a1 01 'x'")
        == "amqp:decode-error: a frame is malformed");
}

TEST_CASE("frame guard: a delivery may come in many frames",
          "[amqp][frame_guard]") {
  const auto first = raw_transfer{.more = hex("41")}.frame();
  const auto none = raw_transfer{.delivery_id = hex("40"),
                                 .tag = hex("40"),
                                 .more = hex("41"),
                                 .payload = ""}
                        .frame();
  // The shortest there is: a handle, and nothing behind it.
  const auto last = raw_frame(hex("00 53 14 c0 02 01 43"));
  const auto next = raw_transfer{.delivery_id = hex("52 01")}.frame();
  CHECK(behind_attach(first + none + last + next).empty());
  CHECK(behind_attach(first + raw_transfer{}.frame() + next).empty());
  CHECK(judge(attached() + first + next).reason
        == "amqp:invalid-field: a delivery began before the last on its link "
           "was complete");
  // In nothing but empty pieces it is empty.
  CHECK(judge(attached()
              + raw_transfer{.more = hex("41"), .payload = ""}.frame() + none
              + last)
            .reason
        == "amqp:decode-error: a transfer has no payload");
}

TEST_CASE("frame guard: messages have limits, alone and together",
          "[amqp][frame_guard]") {
  auto options = server();
  options.message_bytes_max = 100;
  raw_transfer x{.more = hex("41"), .payload = std::string(60, 'x')};
  const std::string too_long =
      "amqp:link:message-size-exceeded: a message is longer than 100 bytes";
  CHECK(behind_attach(raw_transfer{.payload = std::string(100, 'x')}.frame(),
                      options)
            .empty());
  CHECK(behind_attach(raw_transfer{.payload = std::string(101, 'x')}.frame(),
                      options)
        == too_long);
  CHECK(judge(attached() + x.frame() + x.frame(), options).reason == too_long);

  auto begun = opened() + raw_begin();
  std::string parts;
  for (char handle = 0; handle < 9; ++handle) {
    begun += raw_attach(handle);
    x.handle = hex("52") + handle;
    x.delivery_id = hex("52") + handle;
    parts += x.frame();
  }
  const auto size = x.frame().size();
  CHECK(judge(begun + parts.substr(0, 6 * size), options).reason.empty());
  CHECK(judge(begun + parts, options).reason
        == "amqp:resource-limit-exceeded: too many unfinished messages on one "
           "connection");
  // A link that is detached takes with it what was under way.
  const auto detach = raw_frame(performative(0x16, 2, hex("43 41")));
  CHECK(judge(begun + parts.substr(0, 6 * size) + detach
                  + parts.substr(6 * size, size),
              options)
            .reason.empty());
}

TEST_CASE("frame guard: a transfer is read to its last field",
          "[amqp][frame_guard]") {
  const std::string malformed = "amqp:decode-error: a transfer is malformed";
  const auto bad = [](int count, std::string_view fields) {
    return behind_attach(
        raw_frame(performative(0x14, count, fields) + "payload"));
  };
  CHECK(bad(3, hex("43 43 a0 01 't'")).empty());
  CHECK(bad(0, "") == malformed);                     // no handle
  CHECK(bad(1, hex("40")) == malformed);              // null
  CHECK(bad(1, hex("53 00")) == malformed);           // a ulong
  CHECK(bad(2, hex("43")) == malformed);              // less than counted
  CHECK(bad(1, hex("43 43")) == malformed);           // more
  CHECK(bad(3, hex("43 43 a1 01 't'")) == malformed); // a string
  CHECK(bad(3, hex("43 43 a0 ff 't'")) == malformed); // behind the end
  CHECK(bad(3, hex("43 43 a0 21") + std::string(33, 't')) == malformed);
  CHECK(bad(12, hex("43 43 40 40 40 40 40 40 40 40 40 40")) == malformed);
  CHECK(bad(8, hex("43 43 40 40 40 40 40 00 53 24 45")).empty());
  CHECK(bad(8, hex("43 43 40 40 40 40 40") + std::string(40, '\0'))
        == malformed);
  CHECK(behind_attach(raw_frame(hex("00 53 14 c0 ff 01 43")))
        == "amqp:decode-error: a transfer is longer than its frame");
  CHECK(behind_attach(raw_frame(hex("00 53 14 d0 ff ff ff ff 00 00 00 01 43")))
        == "amqp:decode-error: a transfer is longer than its frame");
  // The same in an unusual spelling.
  CHECK(behind_attach(
            raw_frame(hex("00 80 00 00 00 00 00 00 00 14 c0 03 02 43 43 'x'")))
        == malformed);
}

TEST_CASE("frame guard: what nests too deep goes to nobody",
          "[amqp][frame_guard]") {
  const std::string malformed = "amqp:decode-error: a frame is malformed";
  const auto open_with = [](const std::string& value) {
    return judge(amqp_header
                 + raw_frame(performative(0x10, 2, hex("a1 01 'p'") + value)))
        .reason;
  };
  const auto nested = [](int depth) {
    std::string value = hex("45");
    for (int i = 0; i < depth; ++i)
      value =
          hex("c0") + static_cast<char>(value.size() + 1) + hex("01") + value;
    return value;
  };
  CHECK(open_with(nested(20)).empty());
  CHECK(open_with(nested(40)) == malformed);
  std::string described;
  for (int i = 0; i < 40; ++i)
    described += hex("00 44");
  CHECK(open_with(described + hex("40")) == malformed);
  CHECK(open_with(std::string(40, '\0')) == malformed);
  CHECK(open_with(hex("00 45 40")) == malformed); // a list describes
  CHECK(open_with(hex("e0 05 02 a3 01 'a' 00")).empty());
  CHECK(open_with(hex("e0 04 02 45 45 45")) == malformed); // of lists
  CHECK(open_with(hex("f0 00 00 00 05 ff ff ff ff 41")) == malformed);
  CHECK(open_with(hex("c1 03 02 a3 01")) == malformed); // behind its end
  CHECK(judge(amqp_header + raw_frame(hex("00 a3 01 'o' 45"))).reason
        == malformed);
  CHECK(judge(amqp_header + raw_frame(hex("00 53 19 45"))).reason == malformed);
}
