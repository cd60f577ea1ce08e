// What becomes of deliveries whose consumer goes without settling them.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

namespace rookery::conformance {

namespace {

std::string link_closed(stage& x) {
  x.make_queue("q");
  x.put("q", {"a", "b", "c"});
  auto& first = x.receiver("q", 2);
  x.me().take(first, 2);
  x.me().close(first);
  auto& second = x.receiver("q", 3);
  const auto came = x.me().take(second, 3);
  return bodies_of(came) + "; a: " + acquired(came[0].message);
}

/// Another connection takes the only message and goes by `leave`; what the next
/// delivery says.
std::string after(stage& x, std::string_view queue,
                  void (*leave)(client&, client_session&)) {
  x.make_queue(queue);
  x.put(queue, {"m"});
  auto& other = x.connect();
  auto& first = other.receiver(x.queue(queue), {.credit = 1});
  other.take(first);
  leave(other, other.first_session());
  auto& second = x.receiver(queue, 1);
  return acquired(x.me().take(second).message);
}

std::string failed(stage& x) {
  return told({"session ended: ",
               after(x, "a", [](client& c, client_session& s) { c.end(s); }),
               "; connection closed: ",
               after(x, "b", [](client& c, client_session&) { c.close(); }),
               "; connection lost: ",
               after(x, "c", [](client& c, client_session&) { c.cut(); })});
}

std::string presettled(stage& x) {
  x.make_queue("q");
  x.put("q", {"a", "b"});
  auto& in = x.me().receiver(x.queue("q"), {.settled = true, .credit = 1});
  const auto came = body_of(x.me().take(in).message);
  x.me().close(in);
  return came + " is gone; left: " + x.rest("q");
}

constexpr script scripts[]{
    {"returning/link-closed",
     "They come again in order, before the others; nothing failed.",
     "a b c; a: first-acquirer=false delivery-count=0", link_closed},
    // rabbit_fifo:handle_down: a session that ends is as a process that died.
    {"returning/failed",
     "The end of a session or connection, in order or not, is a failure.",
     "session ended: first-acquirer=false delivery-count=1; "
     "connection closed: first-acquirer=false delivery-count=1; "
     "connection lost: first-acquirer=false delivery-count=1",
     failed},
    {"returning/presettled",
     "What was given out settled is gone, whatever becomes of its consumer.",
     "a is gone; left: b", presettled},
};

} // namespace

script_group returning_scripts() { return scripts; }

} // namespace rookery::conformance
