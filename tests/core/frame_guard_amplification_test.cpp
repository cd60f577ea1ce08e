// Goal: a peer cannot make the engine take much more memory than it sends.
// Proton keeps 70 bytes and more of each value of a performative's properties,
// and a copy of a disposition's state for each delivery it speaks of: a frame
// of 60 kB took 4 MiB, or, for 200 deliveries, 824 MiB. Method: frames with as
// many values as are allowed, and one more.
#include "tests/core/frame_guard_feed.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/raw_frame.hpp"

#include <string>

using namespace rookery;
using namespace rookery::tests;

namespace {

std::string wide(std::size_t x) {
  std::string result;
  for (int shift = 24; shift >= 0; shift -= 8)
    result += static_cast<char>(x >> shift);
  return result;
}

/// A list or map of any length: `count` values, encoded in `values`.
std::string compound(std::string_view code, std::size_t count,
                     std::string_view values) {
  return hex(code) + wide(values.size() + 4) + wide(count).append(values);
}

std::string long_performative(char code, std::size_t count,
                              std::string_view fields) {
  return raw_frame(hex("00 53") + code + compound("d0", count, fields));
}

std::string nulls(std::size_t count) { return std::string(count, '\x40'); }

/// An ATTACH of 16 values, and those of its properties.
std::string attach(char handle, std::string_view properties) {
  return long_performative(
      0x12, 14,
      hex("a1 01 'l' 52") + handle
          + hex("42 40 40 00 53 28 c0 04 01 a1 01 's'"
                "00 53 29 c0 04 01 a1 01 't' 40 40 43 40 40 40")
                .append(properties));
}

/// The outcome of `first`, or of all from it to `last`.
std::string disposition(std::string_view last, std::string_view state,
                        bool settled = true) {
  return long_performative(0x15, 5,
                           hex("41 43") + hex(last)
                               + hex(settled ? "41" : "42").append(state));
}

std::string rejected(const std::string& text) {
  const auto error =
      compound("d0", 2, hex("a3 03 'a:b' b1") + wide(text.size()) + text);
  return hex("00 53 25") + compound("d0", 1, hex("00 53 1d") + error);
}

std::string opened() { return amqp_header + raw_open() + raw_begin(); }

std::string reason(const std::string& bytes,
                   const amqp::frame_guard_options& options = {
                       .server = true}) {
  amqp::frame_guard guard{options};
  return feed(guard, opened() + bytes, 5'000).reason;
}

const std::string too_many_values =
    "amqp:resource-limit-exceeded: a frame has more than 1000 values";
const std::string too_much_state =
    "amqp:resource-limit-exceeded: a disposition says more than it may";

} // namespace

TEST_CASE("frame guard: a frame has at most a thousand values",
          "[amqp][frame_guard]") {
  CHECK(reason(attach(0, compound("d1", 900, nulls(900)))).empty());
  CHECK(reason(attach(0, compound("d1", 1'000, nulls(1'000))))
        == too_many_values);
  CHECK(reason(long_performative(0x17, 1, compound("d0", 2'000, nulls(2'000))))
        == too_many_values);
  const auto flags = [](std::size_t count) {
    return hex("f0") + wide(count + 5) + wide(count) + hex("56")
           + std::string(count, '\1');
  };
  CHECK(reason(attach(0, flags(900))).empty());
  CHECK(reason(attach(0, flags(1'001))) == too_many_values);
}

TEST_CASE("frame guard: nothing hides behind the elements of an array",
          "[amqp][frame_guard]") {
  const auto array = [](std::size_t count, std::string_view elements) {
    const auto all = hex(elements);
    const auto many = all + nulls(2'000);
    const auto of = [&](const std::string& x) {
      return attach(0, hex("f0") + wide(x.size() + 4) + wide(count) + x);
    };
    return std::pair{reason(of(all)), reason(of(many))};
  };
  const std::string no_frame = "amqp:decode-error: ";
  for (const auto& [count, elements] :
       {std::pair{0, "a3"},
        {0, "52"},
        {2, "56 01 00"},
        {3, "60 0001 0002 0003"},
        {1, "98 00000000 00000000 00000000 00000000"},
        {2, "a3 01 'a' 02 'bc'"},
        {1, "b1 00000001 'a'"}}) {
    INFO(count << " " << elements);
    const auto [whole, with_more] = array(count, elements);
    CHECK(whole.empty());
    CHECK(with_more.starts_with(no_frame));
  }
  for (const auto& [count, elements] : {std::pair{0, "00"},
                                        {1, "40"},
                                        {1, "c1 01 00"},
                                        {2, "56 01"},
                                        {2, "a3 01 'a' 05 'b'"},
                                        {2, "a3 01 'a'"},
                                        {1, "b1 000000ff 'a'"}}) {
    INFO(count << " " << elements);
    CHECK(array(count, elements).first.starts_with(no_frame));
  }
}

TEST_CASE("frame guard: what all links of a connection said is limited",
          "[amqp][frame_guard]") {
  amqp::frame_guard_options options{.server = true};
  options.attached_bytes_max = 250'000;
  const auto large = compound("d1", 900, nulls(900)); // about 100 kB
  const auto two = attach(0, large) + attach(1, large);
  CHECK(reason(two, options).empty());
  CHECK(reason(two + attach(2, large), options)
        == "amqp:resource-limit-exceeded: the links of one connection say more "
           "than they may");
  CHECK(reason(two + attach(2, hex("40")), options).empty());
  // What is detached counts no more.
  const auto detach = raw_frame(performative(0x16, 2, hex("43 41")));
  CHECK(reason(two + detach + attach(2, large), options).empty());
  const auto end = raw_frame(performative(0x17, 0, ""));
  CHECK(reason(two + end + raw_begin() + two, options).empty());
}

TEST_CASE("frame guard: a disposition is short, for many deliveries shorter",
          "[amqp][frame_guard]") {
  for (const std::string one : {"40", "43"}) {
    INFO("last: " << one);
    CHECK(reason(disposition(one, hex("00 53 24 45"))).empty());
    CHECK(reason(disposition(one, rejected(std::string(10'000, 'x')))).empty());
    CHECK(reason(disposition(one, rejected(std::string(20'000, 'x'))))
          == too_much_state);
  }
  const std::string many = "52 64";
  CHECK(reason(disposition(many, hex("00 53 24 45"))).empty());
  CHECK(reason(disposition(many, rejected(std::string(300, 'x')))).empty());
  CHECK(reason(disposition(many, rejected(std::string(1'000, 'x'))))
        == too_much_state);
  // One that Proton does not know, it keeps as it is.
  const auto unknown = [](std::size_t count) {
    return hex("00 53 99") + compound("d0", count, nulls(count));
  };
  CHECK(reason(disposition("40", unknown(20))).empty());
  CHECK(reason(disposition("40", unknown(40))) == too_much_state);
  // What stays unsettled keeps it, and there may be as many.
  CHECK(reason(disposition("40", unknown(20), false)) == too_much_state);
  CHECK(reason(disposition("40", rejected(std::string(1'000, 'x')), false))
        == too_much_state);
  CHECK(reason(disposition("40", hex("00 53 24 45"), false)).empty());
  CHECK(reason(disposition("80 00 00 00 00 00 00 00 00", hex("00 53 24 45")))
        == "amqp:decode-error: a frame is malformed"); // a ulong
}

TEST_CASE("frame guard: dispositions may speak of each delivery twice, and a "
          "thousand times of none",
          "[amqp][frame_guard]") {
  std::uint64_t unsettled = 0;
  amqp::frame_guard_options options{.server = true};
  options.deliveries_ever = [] { return 5'000; };
  options.deliveries_unsettled = [&] { return unsettled; };
  amqp::frame_guard guard{options};
  REQUIRE(feed(guard, opened(), 5'000).reason.empty());
  const auto accepted = hex("00 53 24 45");
  const auto say = [&](std::string_view last) {
    return feed(guard, disposition(last, accepted), 5'000).reason;
  };
  const std::string hundred = "52 63";      // from 0
  const std::string all = "70 ff ff ff ff"; // and as many as there ever were
  const std::string too_often = "amqp:resource-limit-exceeded: dispositions "
                                "speak of the same deliveries again";
  SECTION("none is there") {
    for (int i = 0; i < 10; ++i)
      CHECK(say(hundred).empty());
    CHECK(say(hundred) == too_often);
  }
  SECTION("some are there, and not looked at yet") {
    unsettled = 100;
    for (int i = 0; i < 14; ++i)
      CHECK(say(hundred).empty());
    CHECK(say(hundred) == too_often);
  }
  SECTION("each brings as many to their end") {
    for (int i = 0; i < 1'000; ++i) {
      CHECK(say(hundred).empty());
      CHECK(say(hundred).empty());
      for (int each = 0; each < 100; ++each)
        guard.delivery_known();
    }
  }
  SECTION("one that speaks of all there were") { CHECK(say(all) == too_often); }
  SECTION("one at a time takes no more than it says") {
    for (int i = 0; i < 10'000; ++i)
      CHECK(say("40").empty());
  }
}

TEST_CASE("frame guard: a transfer has little in front of its payload",
          "[amqp][frame_guard]") {
  const auto with_state = [](std::size_t count) {
    return raw_frame(hex("00 53 14")
                     + compound("d0", 8,
                                hex("43 43 a0 01 't' 43 42 41 40 00 53 99")
                                    + compound("d0", count, nulls(count)))
                     + "payload");
  };
  // Two more are the descriptor's and the list itself.
  CHECK(reason(raw_attach() + with_state(14)).empty());
  for (auto count : {15, 1'000})
    CHECK(reason(raw_attach() + with_state(static_cast<std::size_t>(count)))
          == "amqp:decode-error: a transfer is malformed");
}
