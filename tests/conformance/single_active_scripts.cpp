// Queues with x-single-active-consumer.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

namespace rookery::conformance {

namespace {

using bridge::outcome;

void make(stage& x) { x.make_queue("q", {{"x-single-active-consumer", true}}); }

client_link& consumer(stage& x, std::int32_t priority) {
  return x.me().receiver(x.queue("q"), {.priority = priority, .credit = 10});
}

std::string next_one(stage& x) {
  make(x);
  auto& first = x.receiver("q", 10);
  auto& second = x.receiver("q", 10);
  x.put("q", {"a", "b"});
  auto held = x.me().take(first, 2);
  x.me().settle(held[0], outcome::accepted());
  x.me().close(first);
  x.put("q", {"c"});
  const auto came = x.me().take(second, 2);
  return "first: " + bodies_of(held) + "; when it closed: " + bodies_of(came)
         + ", " + acquired(came[0].message);
}

std::string takeover(stage& x) {
  make(x);
  auto& low = consumer(x, 1);
  x.put("q", {"a"});
  auto held = x.me().take(low);
  x.me().settle(held, outcome::accepted());
  auto& high = consumer(x, 10);
  x.put("q", {"b"});
  auto seen = "high: " + body_of(x.me().take(high).message);
  x.me().close(high);
  seen += "; when it closed, low: " + body_of(x.me().take(low).message);
  return seen;
}

std::string takeover_waits(stage& x) {
  make(x);
  auto& low = consumer(x, 1);
  x.put("q", {"a"});
  auto held = x.me().take(low);
  auto& high = consumer(x, 10);
  x.put("q", {"b"});
  // A round trip: who was to get it would have it before.
  x.management().ask("GET", x.queue("q"));
  const auto early = low.deliveries.size() + high.deliveries.size();
  x.me().settle(held, outcome::accepted());
  return std::to_string(early)
         + " delivered; then high: " + body_of(x.me().take(high).message);
}

constexpr script scripts[]{
    {"single-active/next-one",
     "The first gets all; when it closes the next goes on, with what it held.",
     "first: a b; when it closed: b c, first-acquirer=false delivery-count=0",
     next_one},
    // rabbit_fifo:activate_next_consumer
    {"single-active/takeover",
     "A higher priority takes over from who holds nothing.",
     "high: b; when it closed, low: b", takeover},
    {"single-active/takeover-waits",
     "A higher priority waits until what the active one holds is settled.",
     "0 delivered; then high: b", takeover_waits},
};

} // namespace

script_group single_active_scripts() { return scripts; }

} // namespace rookery::conformance
