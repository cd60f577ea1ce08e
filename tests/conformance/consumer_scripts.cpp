// Credit, and which of several consumers gets a message.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

namespace rookery::conformance {

namespace {

std::string credit(stage& x) {
  x.make_queue("q");
  x.put("q", {"a", "b", "c", "d", "e"});
  auto& in = x.receiver("q", 2);
  auto seen = bodies_of(x.me().take(in, 2));
  x.me().grant(in, 1);
  seen += "; topped up: " + body_of(x.me().take(in).message);
  // Were there more on the way, fewer would be ready.
  seen += "; ready: " + x.purge("q");
  return seen;
}

std::string drain(stage& x) {
  x.make_queue("q");
  x.put("q", {"a", "b"});
  auto& in = x.receiver("q");
  auto seen = bodies_of(x.me().drain(in, 10));
  seen += ", credit " + std::to_string(in.self.credit());
  x.put("q", {"c"});
  seen += "; ready: " + x.purge("q");
  x.put("q", {"d"});
  x.me().grant(in, 1);
  seen += "; granted again: " + body_of(x.me().take(in).message);
  return seen;
}

std::string priority(stage& x) {
  x.make_queue("q");
  auto& low = x.me().receiver(x.queue("q"), {.priority = 1, .credit = 10});
  auto& high = x.me().receiver(x.queue("q"), {.priority = 2, .credit = 2});
  x.put("q", {"a", "b", "c"});
  return told({"high: ", bodies_of(x.me().take(high, 2)),
               "; low: ", bodies_of(x.me().take(low, 1))});
}

std::string turns(stage& x) {
  x.make_queue("q");
  auto& first = x.receiver("q", 10);
  auto& second = x.receiver("q", 10);
  x.put("q", {"a", "b", "c", "d"});
  return told({"first: ", bodies_of(x.me().take(first, 2)),
               "; second: ", bodies_of(x.me().take(second, 2))});
}

constexpr script scripts[]{
    {"consumers/credit", "A consumer gets as many as it granted, no more.",
     "a b; topped up: c; ready: 2", credit},
    {"consumers/drain", "Credit that cannot be used is given back.",
     "a b, credit 0; ready: 1; granted again: d", drain},
    {"consumers/priority",
     "A higher priority is served first while it has credit.",
     "high: a b; low: c", priority},
    {"consumers/turns", "Equal consumers take turns.",
     "first: a c; second: b d", turns},
};

} // namespace

script_group consumer_scripts() { return scripts; }

} // namespace rookery::conformance
