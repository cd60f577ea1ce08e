// What a consumer's outcome does to a message.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

namespace rookery::conformance {

namespace {

using bridge::outcome;

constexpr outcome::kind_type modified_kind = outcome::kind_type::modified;

/// What the second delivery says when the first is settled with `how`.
proton::message again(stage& x, std::string_view queue, const outcome& how) {
  x.make_queue(queue);
  x.put(queue, {"m"});
  auto& in = x.receiver(queue, 2);
  auto first = x.me().take(in);
  x.me().settle(first, how);
  return x.me().take(in).message;
}

/// How many are left when the only one is settled with `how`.
std::string left(stage& x, std::string_view queue, const outcome& how) {
  x.make_queue(queue);
  x.put(queue, {"m"});
  auto& in = x.receiver(queue, 1);
  auto held = x.me().take(in);
  x.me().settle(held, how);
  x.me().close(in);
  return x.purge(queue);
}

std::string finished(stage& x) {
  const outcome refused =
      outcome::rejected("amqp:internal-error", "on purpose");
  const outcome elsewhere{.kind = modified_kind, .undeliverable_here = true};
  return told({"accepted: ", left(x, "a", outcome::accepted()),
               " left; rejected: ", left(x, "b", refused),
               " left; undeliverable here: ", left(x, "c", elsewhere),
               " left"});
}

std::string returned(stage& x) {
  return told({"released: ", acquired(again(x, "a", outcome::released())),
               "; modified: ", acquired(again(x, "b", {.kind = modified_kind})),
               "; failed: ", acquired(again(x, "c", outcome::failure()))});
}

std::string redelivery_annotation(stage& x) {
  return "x-delivery-count="
         + note(again(x, "q", outcome::released()), "x-delivery-count");
}

std::string none(stage& x) {
  x.make_queue("q");
  x.put("q", {"m"});
  auto& alone = x.me().begin();
  auto& in = x.me().receiver(x.queue("q"), {.on = &alone, .credit = 2});
  auto held = x.me().take(in);
  x.me().settle(held, {});
  x.me().wait("an effect", [&] { return in.lost() || !in.deliveries.empty(); });
  return in.lost() ? in.fate() : "comes again";
}

// A consumer that attaches afterwards: credit of the same one might overtake
// what it gave back.
std::string given_next(stage& x, std::string_view queue) {
  return bodies_of(x.me().take(x.receiver(queue, 3), 3));
}

std::string order(stage& x) {
  x.make_queue("q");
  x.put("q", {"a", "b", "c", "d"});
  auto& in = x.receiver("q", 3);
  auto held = x.me().take(in, 3);
  x.me().settle(held[2], outcome::released());
  x.me().settle(held[0], outcome::released());
  return given_next(x, "q");
}

/// Gives back the first of three, to a queue without a delivery limit.
std::string without_limit(stage& x, std::string_view queue,
                          const outcome& how) {
  x.make_queue(queue, {{"x-delivery-limit", std::int64_t{-1}}});
  x.put(queue, {"a", "b", "c"});
  auto& in = x.receiver(queue, 1);
  auto held = x.me().take(in);
  x.me().settle(held, how);
  return given_next(x, queue);
}

std::string order_without_limit(stage& x) {
  return told({"released: ", without_limit(x, "a", outcome::released()),
               "; modified: ", without_limit(x, "b", {.kind = modified_kind})});
}

constexpr script scripts[]{
    {"settling/finished", "Outcomes after which a message is gone.",
     "accepted: 0 left; rejected: 0 left; undeliverable here: 0 left",
     finished},
    {"settling/returned",
     "Outcomes after which it comes again; only a failure is counted.",
     "released: first-acquirer=false delivery-count=0; "
     "modified: first-acquirer=false delivery-count=0; "
     "failed: first-acquirer=false delivery-count=1",
     returned},
    // rabbit_fifo_client:add_delivery_count_header
    {"settling/redelivery-annotation",
     "An annotation counts how often a message was given out before.",
     "x-delivery-count=1", redelivery_annotation},
    // rabbit_amqp_session:settle_op_from_outcome
    {"settling/none", "Settling without an outcome is an error.",
     "session ends amqp:invalid-field", none},
    // rabbit_fifo:return_one
    {"settling/order",
     "Returned messages come before new ones, in the order of their return.",
     "c a d", order},
    // rabbit_fifo:handle_aux turns a return into `requeue` where there is no
    // limit, but not what was modified.
    {"settling/order-without-limit",
     "Without a delivery limit what is released goes to the end.",
     "released: b c a; modified: a b c", order_without_limit},
};

} // namespace

script_group settling_scripts() { return scripts; }

} // namespace rookery::conformance
