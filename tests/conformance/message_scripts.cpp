// What becomes of a message on its way.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

#include <proton/annotation_key.hpp>
#include <proton/binary.hpp>
#include <proton/map.hpp>
#include <proton/message_id.hpp>
#include <proton/symbol.hpp>

namespace rookery::conformance {

namespace {

/// What a consumer gets of it.
proton::message pass_through(stage& x, std::string_view bytes) {
  x.make_queue("q");
  auto& out = x.sender("q");
  x.me().send(out, bytes);
  auto& in = x.receiver("q", 1);
  return x.me().take(in).message;
}

std::string order(stage& x) {
  x.make_queue("q");
  auto& out = x.sender("q");
  for (int i = 0; i < 200; ++i)
    x.me().send(out, text_message(std::to_string(i)));
  x.me().wait("200 outcomes", [&] { return out.outcomes.size() == 200; });
  auto& in = x.receiver("q", 200);
  int in_order = 0;
  for (const auto& each : x.me().take(in, 200))
    in_order += body_of(each.message) == std::to_string(in_order) ? 1 : 0;
  return std::to_string(in_order) + " in order";
}

std::string default_durable(stage& x) {
  // Nothing but a body, the string "hi".
  const auto got = pass_through(x, std::string{"\x00\x53\x77\xa1\x02hi", 7});
  return body_of(got) + " durable=" + (got.durable() ? "true" : "false");
}

std::string header(stage& x) {
  auto sent = text_message("m");
  sent.priority(3);
  sent.ttl(proton::duration{60'000});
  sent.delivery_count(7);
  const auto got = pass_through(x, encoded(sent));
  return acquired(got) + " priority=" + std::to_string(got.priority())
         + " ttl=" + std::to_string(got.ttl().milliseconds());
}

std::string sections(stage& x) {
  auto sent = text_message("m");
  sent.id("id-1");
  sent.subject("s");
  sent.reply_to("/queues/r");
  sent.correlation_id(proton::message_id{std::uint64_t{5}});
  sent.properties().put("number", 1);
  sent.message_annotations().put(proton::symbol{"x-opt-mine"}, "kept");
  sent.delivery_annotations().put(proton::symbol{"x-hop"}, 5);
  const auto got = pass_through(x, encoded(sent));
  return body_of(got) + " message-id=" + proton::to_string(got.id())
         + " subject=" + got.subject() + " reply-to=" + got.reply_to()
         + " correlation-id=" + proton::to_string(got.correlation_id())
         + " number=" + proton::to_string(got.properties().get("number"))
         + " x-opt-mine=" + note(got, "x-opt-mine");
}

std::string delivery_annotations(stage& x) {
  auto sent = text_message("m");
  sent.delivery_annotations().put(proton::symbol{"x-hop"}, 5);
  return std::to_string(
             pass_through(x, encoded(sent)).delivery_annotations().size())
         + " left";
}

std::string large(stage& x) {
  std::string bytes(1 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 31 + i / 251);
  proton::message sent{proton::binary{bytes.begin(), bytes.end()}};
  sent.inferred(true); // a data section
  sent.durable(true);
  const auto got = body_of(pass_through(x, encoded(sent)));
  return std::to_string(got.size()) + (got == bytes ? " intact" : " changed");
}

std::string priority(stage& x) {
  x.make_queue("q");
  x.put("q", {"n1", "n2", "n3"});
  auto& out = x.sender("q");
  for (const auto* each : {"h1", "h2", "h3"}) {
    auto high = text_message(each);
    high.priority(9);
    x.me().publish(out, high);
  }
  return x.rest("q");
}

std::string priority_of_returned(stage& x) {
  x.make_queue("q");
  x.put("q", {"n1", "n2"});
  auto& in = x.receiver("q", 1);
  auto held = x.me().take(in);
  auto high = text_message("h1");
  high.priority(9);
  x.me().publish(x.sender("q"), high);
  x.me().settle(held, bridge::outcome::released());
  x.me().grant(in, 3);
  return bodies_of(x.me().take(in, 3));
}

constexpr script scripts[]{
    {"messages/order", "What one link publishes is consumed in that order.",
     "200 in order", order},
    // mc_amqp:get_property(durable)
    {"messages/default-durable",
     "A message that does not say is durable, and its consumer is told so.",
     "hi durable=true", default_durable},
    // mc_amqp:update_header_from_anns
    {"messages/header",
     "Who had it before is for the broker to say, the rest is kept.",
     "first-acquirer=true delivery-count=0 priority=3 ttl=60000", header},
    {"messages/sections", "Properties, annotations and body arrive as sent.",
     "m message-id=id-1 subject=s reply-to=/queues/r correlation-id=5 number=1 "
     "x-opt-mine=kept",
     sections},
    // mc_amqp:msg_body_encoded
    {"messages/delivery-annotations",
     "Delivery annotations are for the next hop only.", "0 left",
     delivery_annotations},
    {"messages/large", "A mebibyte crosses in many frames.", "1048576 intact",
     large},
    // rabbit_fifo_q:next, with weight 2
    {"messages/priority",
     "Two messages of a priority above 4 go before each normal one.",
     "h1 h2 n1 h3 n2 n3", priority},
    // rabbit_fifo:take_next_msg
    {"messages/priority-of-returned",
     "What was given back goes before all others.", "n1 h1 n2",
     priority_of_returned},
};

} // namespace

script_group message_scripts() { return scripts; }

} // namespace rookery::conformance
