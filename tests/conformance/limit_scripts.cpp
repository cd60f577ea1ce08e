// Limits of deliveries, of length and of bytes.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

#include <chrono>

namespace rookery::conformance {

namespace {

using bridge::outcome;

/// Releases a message again and again; how often it was delivered before it was
/// a dead letter, or "N and on" when `most` were not enough.
std::string deliveries(stage& x, const std::string& queue,
                       const fields& limit) {
  constexpr std::size_t most = 40;
  const auto dead_queue = queue + "-dead";
  x.make_queue(dead_queue);
  auto arguments = x.dying(dead_queue);
  arguments.insert(limit.begin(), limit.end());
  x.make_queue(queue, arguments);
  x.put(queue, {"m"});
  auto& dead = x.receiver(dead_queue, 1);
  auto& in = x.receiver(queue, 2 * most);
  std::size_t count = 0;
  while (count < most) {
    x.me().wait("a delivery", [&] {
      return !in.deliveries.empty() || !dead.deliveries.empty();
    });
    if (!dead.deliveries.empty())
      return std::to_string(count);
    auto held = x.me().take(in);
    x.me().settle(held, outcome::released());
    ++count;
  }
  return std::to_string(count) + " and on";
}

std::string delivery_limit(stage& x) {
  return told(
      {"2: ", deliveries(x, "a", {{"x-delivery-limit", std::int64_t{2}}}),
       "; not said: ", deliveries(x, "b", {}),
       "; -1: ", deliveries(x, "c", {{"x-delivery-limit", std::int64_t{-1}}})});
}

std::string drop_head(stage& x) {
  x.make_queue("q", {{"x-max-length", std::int64_t{2}}});
  x.put("q", {"a", "b", "c", "d"});
  x.make_queue("bytes", {{"x-max-length-bytes", std::int64_t{1'000}}});
  // Which bytes of a message count is the broker's: far from any border.
  const std::string filler(400, '.');
  x.put("bytes", {"a" + filler, "b" + filler, "c" + filler});
  texts left;
  for (const auto& each : x.me().drain(x.receiver("bytes")))
    left.push_back(body_of(each.message).substr(0, 1));
  return told({"messages: ", x.rest("q"), "; bytes: ", joined(left, " ")});
}

std::string beyond_credit(stage& x) {
  x.make_queue("q", {{"x-max-length", std::int64_t{1}}});
  auto& in = x.receiver("q", 2);
  x.put("q", {"a", "b", "c"});
  const auto came = bodies_of(x.me().take(in, 2));
  return came + " delivered, " + x.purge("q") + " ready";
}

std::string reject_publish(stage& x) {
  x.make_queue("q", {{"x-max-length", std::int64_t{2}},
                     {"x-overflow", std::string{"reject-publish"}}});
  auto& out = x.sender("q");
  std::string seen;
  for (int i = 0; i < 5; ++i)
    seen += kind_of(x.me().publish(out, text_message("m"))) + " ";
  x.purge("q");
  seen += "emptied: " + kind_of(x.me().publish(out, text_message("m")));
  return seen;
}

std::string take_again(stage& x) {
  x.make_queue("q", {{"x-max-length", std::int64_t{5}},
                     {"x-overflow", std::string{"reject-publish"}}});
  x.put("q", {"a", "b", "c", "d", "e", "f"});
  auto& out = x.sender("q");
  const auto publish = [&] { return x.me().publish(out, text_message("m")); };
  auto seen = "full: " + kind_of(publish());
  auto& in = x.receiver("q", 1);
  x.me().take(in);
  seen += "; 5 left: " + kind_of(publish());
  x.me().grant(in, 1);
  x.me().take(in);
  // RabbitMQ tells the publisher's session a little later than the consumer's.
  const auto enough = std::chrono::steady_clock::now() + event_loop::patience;
  auto how = publish();
  while (how != outcome::accepted()
         && std::chrono::steady_clock::now() < enough)
    how = publish();
  return seen + "; 4 left: " + kind_of(how);
}

std::string reject_bytes(stage& x) {
  x.make_queue("q", {{"x-max-length-bytes", std::int64_t{1'000}},
                     {"x-overflow", std::string{"reject-publish"}}});
  auto& out = x.sender("q");
  const std::string filler(700, '.');
  texts seen;
  for (int i = 0; i < 4; ++i)
    seen.push_back(kind_of(x.me().publish(out, text_message(filler))));
  return joined(seen, " ");
}

constexpr script scripts[]{
    {"limits/delivery-limit",
     "What came back more often than x-delivery-limit, 20, dies.",
     "2: 3; not said: 21; -1: 40 and on", delivery_limit},
    {"limits/drop-head", "x-max-length and x-max-length-bytes drop the oldest.",
     "messages: c d; bytes: b c", drop_head},
    {"limits/beyond-credit",
     "What a consumer's credit waits for does not count.",
     "a b delivered, 1 ready", beyond_credit},
    // rabbit_fifo:evaluate_limit tells publishers when it is over the limit,
    // so one too many gets in.
    {"limits/reject-publish",
     "x-overflow reject-publish takes one beyond x-max-length, then refuses.",
     "accepted accepted accepted rejected rejected emptied: accepted",
     reject_publish},
    {"limits/reject-bytes", "It does so with x-max-length-bytes, too.",
     "accepted accepted rejected rejected", reject_bytes},
    // rabbit_fifo:is_below_soft_limit
    {"limits/take-again",
     "It takes messages again when four fifths of the limit are left.",
     "full: rejected; 5 left: rejected; 4 left: accepted", take_again},
};

} // namespace

script_group limit_scripts() { return scripts; }

} // namespace rookery::conformance
