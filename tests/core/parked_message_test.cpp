// Goal: what people are shown of a parked message is all that is known and
// commands no terminal; and what is sent again is the message as it was.
// Method: messages by Proton's encoder, as brokers would give them out.
#include "nodes/parked/parked_message.hpp"

#include "bridge/amqp/wire/message_decoder.hpp"
#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/amqp/wire/park_note.hpp"
#include "tests/support/catch.hpp"

#include <proton/annotation_key.hpp>
#include <proton/binary.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/symbol.hpp>
#include <proton/value.hpp>

using namespace rookery;
using namespace rookery::nodes;

namespace {

constexpr const char* trace =
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string encoded(const proton::message& x) {
  const auto bytes = x.encode();
  return {bytes.begin(), bytes.end()};
}

proton::message plain_message() {
  proton::message result{proton::binary{"\x08\x03"}};
  result.inferred(true);
  result.id(proton::message_id{"id-1"});
  result.subject("jobs.Job");
  result.reply_to("/queues/me");
  result.properties().put("traceparent", trace);
  result.properties().put("mine", 5);
  result.durable(true);
  result.priority(7);
  result.message_annotations().put(proton::symbol{"x-opt-mine"}, "kept");
  return result;
}

proton::message parked(const amqp::park_note& note) {
  auto result = plain_message();
  auto& to = result.message_annotations();
  to.put(proton::symbol{"x-opt-rookery-condition"}, note.condition);
  to.put(proton::symbol{"x-opt-rookery-reason"}, note.reason);
  // As a broker may give it back that forgot the type.
  to.put(proton::symbol{"x-opt-rookery-attempts"}, std::int64_t{note.attempts});
  to.put(proton::symbol{"x-opt-rookery-queue"}, note.queue);
  to.put(proton::symbol{"x-first-death-queue"}, "first");
  to.put(proton::symbol{"x-last-death-queue"}, "last");
  to.put(proton::symbol{"x-last-death-reason"}, "rejected");
  to.put(proton::symbol{"x-opt-deaths"}, 1);
  to.put(proton::symbol{"x-delivery-count"}, std::int64_t{9});
  result.first_acquirer(false);
  result.delivery_count(4);
  return result;
}

} // namespace

TEST_CASE("parked message: tells what the node noted", "[nodes][parked]") {
  const auto x =
      read_parked(encoded(parked({"rookery:poison", "bad", 3, "jobs"})));
  CHECK(x.readable);
  CHECK(x.id == "id-1");
  CHECK(x.type == "jobs.Job");
  CHECK(x.trace_id == "0af7651916cd43dd8448eb211c80319c");
  CHECK(x.condition == "rookery:poison");
  CHECK(x.reason == "bad");
  CHECK(x.attempts == 3);
  CHECK(x.queue == "first"); // the broker's word; who publishes cannot forge it
  CHECK(x.body == "\x08\x03");
}

TEST_CASE("parked message: what only the broker knows of is told in its words",
          "[nodes][parked]") {
  auto expired = plain_message();
  auto& notes = expired.message_annotations();
  notes.put(proton::symbol{"x-first-death-queue"}, "first");
  notes.put(proton::symbol{"x-last-death-reason"}, "expired");
  const auto x = read_parked(encoded(expired));
  CHECK(x.condition == "expired");
  CHECK(x.queue == "first");
  CHECK(x.reason.empty());
}

TEST_CASE("parked message: no text commands the terminal", "[nodes][parked]") {
  auto evil = parked({"a\x1b[1m", "b\xc2\x9b", 1, "q"});
  evil.id(proton::message_id{"\x1b]0;x\x07"});
  evil.subject("line\nbreak\t\xff");
  const auto x = read_parked(encoded(evil));
  for (const auto& text : {x.condition, x.reason, x.id, x.type}) {
    CHECK(text.find_first_of("\x1b\x07\n\t\xff") == std::string::npos);
    CHECK(text.find("\xc2\x9b") == std::string::npos);
  }
}

TEST_CASE("parked message: of garbage the bytes are told", "[nodes][parked]") {
  const auto x = read_parked("garbage");
  CHECK_FALSE(x.readable);
  CHECK(x.body == "garbage");
  CHECK(x.id.empty());
  CHECK_FALSE(replay_form("garbage"));
  const auto whole = encoded(parked({"c", "r", 1, "q"}));
  for (std::size_t size = 0; size < whole.size(); ++size)
    static_cast<void>(read_parked(whole.substr(0, size))); // and no crash
}

TEST_CASE("replay: the message is as it was before", "[nodes][parked]") {
  const auto form =
      replay_form(encoded(parked({"rookery:poison", "bad", 3, "jobs"})));
  REQUIRE(form);
  proton::message again;
  again.decode({form->begin(), form->end()});
  CHECK(again.id() == proton::message_id{"id-1"});
  CHECK(again.subject() == "jobs.Job");
  CHECK(again.reply_to() == "/queues/me");
  CHECK(again.properties().get("traceparent") == proton::scalar{trace});
  CHECK(again.properties().get("mine") == proton::scalar{5});
  CHECK(again.body() == proton::value{proton::binary{"\x08\x03"}});
  CHECK(again.durable());
  CHECK(again.priority() == 7);
  CHECK(again.delivery_count() == 0);
  CHECK(again.first_acquirer());
  CHECK(again.message_annotations().size() == 1);
  CHECK(again.message_annotations().exists(proton::symbol{"x-opt-mine"}));
}

TEST_CASE("replay: properties and body keep every byte", "[nodes][parked]") {
  bridge::envelope sent;
  sent.message_id = "aaaaaaaaaaaaaaaa.0-1";
  sent.type = "jobs.Job";
  sent.trace_parent = trace;
  sent.body = "body";
  std::string bytes;
  amqp::encode_message(sent, bytes);
  const auto form = replay_form(bytes);
  REQUIRE(form);
  const auto behind_header = [](const std::string& x) {
    return x.substr(x.find(std::string{"\x00\x53\x73", 3}));
  };
  CHECK(behind_header(*form) == behind_header(bytes));
}
