// Where dead letters go, and what they tell of their deaths.
#include "bridge/amqp/wire/annotations.hpp"
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

#include <proton/annotation_key.hpp>
#include <proton/map.hpp>
#include <proton/message_id.hpp>
#include <proton/symbol.hpp>

namespace rookery::conformance {

namespace {

using bridge::outcome;
using namespace std::chrono_literals;

outcome refused() {
  return outcome::rejected("amqp:internal-error", "on purpose");
}

/// A queue "q" whose dead letters come to the returned consumer of "dead".
client_link& make_dying(stage& x, const fields& more = {}) {
  x.make_queue("dead");
  auto arguments = x.dying("dead");
  arguments.insert(more.begin(), more.end());
  x.make_queue("q", arguments);
  return x.receiver("dead", 10);
}

std::string death_text(const proton::message& x) {
  texts seen;
  for (const auto& each : deaths_of(x))
    seen.push_back(each.queue + " " + each.reason + " x" + each.count);
  return joined(seen, ", ");
}

/// First and last death, as the annotations of their own tell.
std::string first_and_last(const proton::message& x) {
  texts seen;
  for (const std::string which : {"first", "last"}) {
    const auto get = [&](const char* what) {
      return note(x, ("x-" + which + "-death-" + what).c_str());
    };
    seen.push_back(which + ": " + get("queue") + " " + get("reason") + " by '"
                   + get("exchange") + "'");
  }
  return joined(seen);
}

std::string rejected(stage& x) {
  auto& dead = make_dying(x);
  auto sent = text_message("m");
  sent.id("id-1");
  sent.properties().put("number", 1);
  sent.message_annotations().put(proton::symbol{"x-opt-mine"}, "kept");
  x.me().publish(x.sender("q"), sent);
  auto& in = x.receiver("q", 1);
  auto held = x.me().take(in);
  x.me().settle(held, refused());
  const auto letter = x.me().take(dead).message;
  return body_of(letter) + " " + proton::to_string(letter.id()) + " "
         + proton::to_string(letter.properties().get("number")) + " "
         + note(letter, "x-opt-mine") + "; " + first_and_last(letter)
         + "; deaths: " + death_text(letter);
}

std::string header(stage& x) {
  auto& dead = make_dying(x);
  x.put("q", {"m"});
  auto& in = x.receiver("q", 1);
  auto held = x.me().take(in);
  x.me().settle(held, refused());
  return acquired(x.me().take(dead).message);
}

std::string expired(stage& x) {
  auto& dead = make_dying(x);
  auto sent = text_message("m");
  sent.ttl(proton::duration{50});
  x.me().publish(x.sender("q"), sent);
  const auto letter = x.me().take(dead).message;
  const auto death = deaths_of(letter).at(0);
  return death.queue + " " + death.reason + " x" + death.count + " exchange='"
         + death.exchange + "' keys=" + death.routing_keys + " ttl=" + death.ttl
         + "; the letter's ttl " + std::to_string(letter.ttl().milliseconds())
         + ", " + acquired(letter);
}

std::string reasons(stage& x) {
  auto& dead = make_dying(x, {{"x-max-length", std::int64_t{1}},
                              {"x-delivery-limit", std::int64_t{0}}});
  x.put("q", {"a", "b"}); // one too many
  auto& in = x.receiver("q", 10);
  auto held = x.me().take(in);
  x.me().settle(held, outcome::released()); // once too often
  auto letters = x.me().take(dead, 2);
  x.put("q", {"c"});
  held = x.me().take(in);
  x.me().settle(
      held, {.kind = outcome::kind_type::modified, .undeliverable_here = true});
  letters.push_back(x.me().take(dead));
  texts seen;
  for (const auto& each : letters)
    seen.push_back(body_of(each.message) + " "
                   + note(each.message, "x-first-death-reason"));
  return joined(seen);
}

std::string routing_key(stage& x) {
  x.make_exchange("graveyard", "direct");
  const std::string exchange = x.name("graveyard");
  x.make_queue("kept", {{"x-dead-letter-exchange", exchange}});
  x.make_queue("changed", {{"x-dead-letter-exchange", exchange},
                           {"x-dead-letter-routing-key", std::string{"k"}}});
  x.make_queue("by-own");
  x.make_queue("by-k");
  // The key it was published with: the queue's name.
  x.bind("graveyard", "by-own", x.name("kept"));
  x.bind("graveyard", "by-k", "k");
  auto& own = x.receiver("by-own", 1);
  auto& other = x.receiver("by-k", 1);
  for (const auto* each : {"kept", "changed"}) {
    x.put(each, {each});
    auto& in = x.receiver(each, 1);
    auto held = x.me().take(in);
    x.me().settle(held, refused());
  }
  return told({"own key: ", body_of(x.me().take(own).message),
               "; k: ", body_of(x.me().take(other).message)});
}

std::string two_hops(stage& x) {
  x.make_queue("three");
  x.make_queue("two", x.dying("three"));
  auto arguments = x.dying("two");
  arguments["x-message-ttl"] = std::int64_t{100};
  x.make_queue("one", arguments);
  x.put("one", {"m"});
  auto& two = x.receiver("two", 1);
  auto held = x.me().take(two);
  x.me().settle(held, refused());
  const auto letter = x.me().take(x.receiver("three", 1)).message;
  return first_and_last(letter) + "; deaths: " + death_text(letter);
}

/// Dead letters of "q" come back to it, and to "witness".
client_link& make_cycle(stage& x, const fields& more) {
  x.make_exchange("x", "fanout");
  auto arguments = more;
  arguments["x-dead-letter-exchange"] = x.name("x");
  x.make_queue("q", arguments);
  x.make_queue("witness");
  x.bind("x", "q", "");
  x.bind("x", "witness", "");
  return x.receiver("witness", 10);
}

std::string cycle(stage& x) {
  auto& witness = make_cycle(x, {{"x-message-ttl", std::int64_t{100}}});
  x.put("q", {"m"});
  const auto letter = x.me().take(witness).message;
  x.pass(500ms); // it would have died again by now
  return death_text(letter) + "; then "
         + std::to_string(witness.deliveries.size()) + " more";
}

std::string rejected_cycle(stage& x) {
  auto& witness = make_cycle(x, {});
  x.put("q", {"m"});
  auto& in = x.receiver("q", 2);
  texts seen;
  for (int i = 0; i < 2; ++i) {
    auto held = x.me().take(in);
    x.me().settle(held, refused());
    seen.push_back(death_text(x.me().take(witness).message));
  }
  return joined(seen);
}

std::string noted(stage& x) {
  auto& dead = make_dying(x, {{"x-queue-type", std::string{"quorum"}}});
  auto sent = text_message("m");
  sent.message_annotations().put(proton::symbol{"x-opt-mine"}, "old");
  sent.message_annotations().put(proton::symbol{"x-opt-sent"}, "kept");
  proton::message carrier;
  auto& notes = carrier.message_annotations();
  notes.put(proton::symbol{"x-opt-mine"}, "new");
  notes.put(proton::symbol{"x-opt-count"}, std::uint32_t{300});
  const auto bytes = encoded(carrier);
  x.me().publish(x.sender("q"), sent);
  auto held = x.me().take(x.receiver("q", 1));
  x.me().settle(held, outcome::parked(
                          std::string{amqp::message_annotations(bytes)}, true));
  const auto letter = x.me().take(dead).message;
  return told({note(letter, "x-opt-mine"), " ", note(letter, "x-opt-sent"), " ",
               note(letter, "x-opt-count"), "; ",
               note(letter, "x-first-death-reason"), ", ", acquired(letter)});
}

constexpr script scripts[]{
    {"dead-letters/rejected",
     "A dead letter is the message as it was, with its history.",
     "m id-1 1 kept; first: q rejected by ''; last: q rejected by ''; "
     "deaths: q rejected x1",
     rejected},
    // rabbit_fifo:discard counts the delivery, and rabbit_fifo:annotate_msg
    // hands the count on.
    {"dead-letters/header", "To be rejected is a failed delivery.",
     "first-acquirer=false delivery-count=1", header},
    {"dead-letters/expired", "An expired letter does not expire again.",
     "q expired x1 exchange='' keys=q ttl=50; the letter's ttl 0, "
     "first-acquirer=false delivery-count=0",
     expired},
    {"dead-letters/reasons", "The other reasons to die.",
     "a maxlen; b delivery_limit; c rejected", reasons},
    {"dead-letters/routing-key",
     "A letter keeps its routing key unless the queue has one for it.",
     "own key: kept; k: changed", routing_key},
    {"dead-letters/two-hops",
     "The first death is remembered, the last one comes first.",
     "first: one expired by ''; last: two rejected by ''; "
     "deaths: two rejected x1, one expired x1",
     two_hops},
    {"dead-letters/cycle",
     "A letter does not come back to where it died by itself.",
     "q expired x1; then 0 more", cycle},
    {"dead-letters/rejected-cycle",
     "One that a consumer rejects may go round, and is counted.",
     "q rejected x1; q rejected x2", rejected_cycle},
    {"dead-letters/noted",
     "Annotations of a modified outcome are put on the letter.",
     "new kept 300; rejected, first-acquirer=false delivery-count=1", noted},
};

} // namespace

script_group dead_letter_scripts() { return scripts; }

} // namespace rookery::conformance
