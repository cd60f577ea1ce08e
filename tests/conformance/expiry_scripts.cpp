// What time does to messages and queues. Dead letters tell when one expired.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

namespace rookery::conformance {

namespace {

using bridge::outcome;
using namespace std::chrono_literals;

/// Makes a queue whose dead letters go to another, and a consumer of those.
client_link& make_dying(stage& x, std::string_view queue, std::string_view dead,
                        const fields& more = {}) {
  x.make_queue(dead);
  auto arguments = x.dying(dead);
  arguments.insert(more.begin(), more.end());
  x.make_queue(queue, arguments);
  return x.receiver(dead, 10);
}

proton::message short_lived(const std::string& body, int milliseconds) {
  auto made = text_message(body);
  made.ttl(proton::duration{milliseconds});
  return made;
}

std::string ttl(stage& x) {
  const fields brief{{"x-message-ttl", std::int64_t{100}}};
  const fields patient{{"x-message-ttl", std::int64_t{600'000}}};
  auto& me = x.me();
  auto& of_queue = make_dying(x, "q1", "dead1", brief);
  auto& of_message = make_dying(x, "q2", "dead2");
  auto& shorter = make_dying(x, "q3", "dead3", patient);
  auto& longer = make_dying(x, "q4", "dead4", brief);
  me.publish(x.sender("q1"), text_message("m"));
  me.publish(x.sender("q2"), short_lived("m", 100));
  me.publish(x.sender("q3"), short_lived("m", 100));
  me.publish(x.sender("q4"), short_lived("m", 600'000));
  texts seen;
  for (auto* each : {&of_queue, &of_message, &shorter, &longer})
    seen.push_back(note(me.take(*each).message, "x-first-death-reason"));
  return joined(seen, " ");
}

std::string at_the_head(stage& x) {
  auto& dead = make_dying(x, "q", "dead");
  x.put("q", {"long"});
  x.me().publish(x.sender("q"), short_lived("short", 100));
  x.pass(500ms); // the short one's time is over
  auto seen = std::to_string(dead.deliveries.size()) + " dead";
  auto& in = x.receiver("q", 1);
  seen += "; taken " + body_of(x.me().take(in).message);
  const auto letter = x.me().take(dead).message;
  return seen + "; " + body_of(letter) + " "
         + note(letter, "x-first-death-reason");
}

std::string held(stage& x) {
  auto& dead = make_dying(x, "q", "dead");
  auto& in = x.receiver("q", 1);
  x.me().publish(x.sender("q"), short_lived("m", 100));
  auto mine = x.me().take(in);
  x.pass(500ms);
  auto seen = std::to_string(dead.deliveries.size()) + " dead; released, ";
  x.me().settle(mine, outcome::released());
  seen += note(x.me().take(dead).message, "x-first-death-reason");
  return seen;
}

std::string queue_expires(stage& x) {
  const fields brief{{"x-expires", std::int64_t{1'000}}};
  x.make_queue("used", brief);
  auto& in = x.receiver("used", 1);
  x.make_queue("unused", brief);
  auto& out = x.sender("unused");
  x.me().publish(out, text_message("m"));
  x.me().wait("the queue to expire", [&] { return out.lost(); });
  x.put("used", {"m"});
  return told({"unused: ", out.fate(),
               "; with a consumer: ", body_of(x.me().take(in).message)});
}

constexpr script scripts[]{
    {"expiry/ttl",
     "x-message-ttl or the message's own ttl, whichever is shorter.",
     "expired expired expired expired", ttl},
    {"expiry/at-the-head", "A message expires when it is the next to go.",
     "0 dead; taken long; short expired", at_the_head},
    {"expiry/held", "A message that a consumer holds does not expire.",
     "0 dead; released, expired", held},
    // rabbit_fifo:is_expired, looked at every five seconds
    {"expiry/queue",
     "x-expires ends a queue without consumers, and links to it.",
     "unused: link closes amqp:resource-deleted; with a consumer: m",
     queue_expires},
};

} // namespace

script_group expiry_scripts() { return scripts; }

} // namespace rookery::conformance
