// What the broker adds to a message that it gives out again.
// Method: sections byte by byte.
#include "bridge/amqp/wire/message_decoder.hpp"
#include "broker/annotations.hpp"
#include "broker/core/names.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

using namespace rookery;
using rookery::tests::hex;

namespace {

const auto count_of_one =
    hex("b3 00 00 00 10 'x-delivery-count' 81 00 00 00 00 00 00 00 01");
const auto body = hex("00 53 75 a0 01 'b'");

std::string given_out_again(const std::string& sections) {
  return broker::annotate(sections, {}, 1);
}

} // namespace

TEST_CASE("annotations: are added to those that are there", "[broker]") {
  const auto mine = hex("a3 01 'k' a1 01 'v'");
  const auto annotated =
      given_out_again(hex("00 53 72 c1 07 02").append(mine).append(body));
  CHECK(annotated.find(mine) != std::string::npos);
  CHECK(annotated.find(count_of_one) != std::string::npos);
  CHECK(annotated.ends_with(body));
}

TEST_CASE("annotations: make a section where there is none", "[broker]") {
  const auto annotated = given_out_again(body);
  CHECK(annotated.find(count_of_one) != std::string::npos);
  CHECK(annotated.ends_with(body));
}

TEST_CASE("annotations: are found behind a section that nobody knows",
          "[broker]") {
  const auto unknown = hex("00 53 99 40");
  const auto mine = hex("a3 01 'k' a1 01 'v'");
  const auto annotated = given_out_again(
      unknown + hex("00 53 72 c1 07 02").append(mine).append(body));
  CHECK(annotated.ends_with(unknown + body));
  CHECK(annotated.find(mine) != std::string::npos);
  CHECK(annotated.find(hex("00 53 72")) == annotated.rfind(hex("00 53 72")));
}

TEST_CASE("annotations: a dead letter has no more than its owner expects",
          "[broker]") {
  const std::string longest(broker::name_bytes_max, 'n');
  broker::message letter;
  std::vector<broker::note> notes;
  for (std::size_t i = 0; i < broker::notes_max; ++i) {
    const auto key = "x-opt-" + std::to_string(i);
    const std::string text(
        broker::note_bytes_max / broker::notes_max - key.size() - 5, 'v');
    notes.push_back({key, hex("b1 00 00 00") + char(text.size()) + text});
  }
  letter.notes = std::make_shared<const std::vector<broker::note>>(notes);
  auto history = std::make_shared<broker::death_history>();
  for (int i = 0; i < 1'000; ++i)
    history->record({.queue = std::to_string(i) + longest.substr(4),
                     .reason = broker::death_reason::delivery_limit,
                     .published_to = {longest, longest},
                     .ttl = std::chrono::milliseconds{1}});
  letter.history = history;
  const auto annotated = broker::annotate(body, letter, 1'000);
  CHECK(annotated.size() - body.size() <= amqp::broker_adds_max);
  // Of deaths the latest; of notes all.
  CHECK(annotated.find("999nnn") != std::string::npos);
  CHECK(annotated.find("990nnn") != std::string::npos);
  CHECK(annotated.find("500nnn") == std::string::npos);
  CHECK(annotated.find("x-opt-63") != std::string::npos);
}
