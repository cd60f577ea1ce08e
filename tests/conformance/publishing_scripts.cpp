// What a publisher is told.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

namespace rookery::conformance {

namespace {

std::string outcomes(stage& x) {
  x.make_queue("q");
  x.make_exchange("x", "direct");
  x.bind("x", "q", "k");
  const auto m = text_message("m");
  auto& me = x.me();
  auto& bound = me.sender(x.exchange("x", "k"));
  auto& unbound = me.sender(x.exchange("x", "l"));
  return told({"a queue: ", text_of(me.publish(x.sender("q"), m)),
               "; a bound key: ", text_of(me.publish(bound, m)),
               "; no binding: ", text_of(me.publish(unbound, m))});
}

std::string anonymous(stage& x) {
  x.make_queue("q");
  auto& out = x.me().sender(std::nullopt);
  const auto to = [&](const std::string& address) {
    return text_of(x.me().publish(out, message_to(address)));
  };
  return told(
      {"a queue: ", to(x.queue("q")), "; no such queue: ", to(x.queue("nope")),
       "; no such exchange: ", to(x.exchange("nope", "k")),
       "; no address: ", to("/nonsense"), "; a bad escape: ", to("/queues/%zz"),
       "; without: ", text_of(x.me().publish(out, text_message("m"))),
       "; the queue again: ", to(x.queue("q"))});
}

std::string settled(stage& x) {
  x.make_queue("q");
  x.make_exchange("x", "fanout");
  auto& me = x.me();
  auto& in = x.receiver("q", 10);
  auto& out = me.sender(x.exchange("x"), {.settled = true});
  me.send(out, text_message("a"), true); // leads nowhere yet
  x.bind("x", "q", "");
  me.send(out, text_message("b"), true);
  const auto came = body_of(me.take(in).message);
  auto& anywhere = me.sender(std::nullopt, {.settled = true});
  me.send(anywhere, message_to("/nonsense"), true);
  me.wait("a detach", [&] { return anywhere.lost(); });
  return "unroutable, then " + came + "; outcomes "
         + std::to_string(out.outcomes.size())
         + "; a bad 'to': " + anywhere.fate();
}

std::string settled_against_its_word(stage& x) {
  x.make_queue("q");
  const auto fate = [&](bool settled) {
    auto& me = x.connect();
    auto& out = me.sender(x.queue("q"), {.settled = settled});
    me.send(out, text_message("m"), !settled);
    me.wait("an end", [&] { return out.lost(); });
    return out.fate();
  };
  return told({"none: ", fate(false), "; all: ", fate(true)});
}

std::string deleted_exchange(stage& x) {
  x.make_exchange("x", "fanout");
  auto& out = x.me().sender(x.exchange("x"));
  x.management().ask("DELETE", x.exchange("x"));
  const auto how = text_of(x.me().publish(out, text_message("m")));
  x.me().wait("a detach", [&] { return out.lost(); });
  return how + ", " + out.fate();
}

std::string one_refuses(stage& x) {
  x.make_queue("full", {{"x-max-length", std::int64_t{1}},
                        {"x-overflow", std::string{"reject-publish"}}});
  x.make_queue("other");
  x.make_exchange("x", "fanout");
  x.bind("x", "full", "");
  x.bind("x", "other", "");
  auto& fill = x.sender("full");
  auto how = bridge::outcome::accepted();
  for (int i = 0; i < 5 && how == bridge::outcome::accepted(); ++i)
    how = x.me().publish(fill, text_message("filler"));
  auto& out = x.me().sender(x.exchange("x"));
  how = x.me().publish(out, text_message("m"));
  // Told of the refusal before the other queue may have it: so wait for it.
  auto& in = x.receiver("other", 1);
  return told({kind_of(how), "; the other queue has ",
               body_of(x.me().take(in).message)});
}

constexpr script scripts[]{
    {"publishing/outcomes", "Accepted where a queue has it, released if none.",
     "a queue: accepted; a bound key: accepted; no binding: released",
     outcomes},
    {"publishing/anonymous",
     "On a link without a target each message says "
     "where it goes; a bad one is refused alone.",
     "a queue: accepted; no such queue: released; "
     "no such exchange: rejected amqp:not-found; "
     "no address: rejected amqp:precondition-failed; "
     "a bad escape: rejected amqp:precondition-failed; "
     "without: rejected amqp:precondition-failed; the queue again: accepted",
     anonymous},
    {"publishing/settled",
     "Settled messages have no outcome; where their own "
     "address is at fault the link ends.",
     "unroutable, then b; outcomes 0; "
     "a bad 'to': link closes amqp:precondition-failed",
     settled},
    {"publishing/settled-against-its-word",
     "A link that says that it sends none settled, or all (snd-settle-mode), "
     "and does not do so ends its session.",
     "none: session ends amqp:connection:framing-error; all: session ends "
     "amqp:connection:framing-error",
     settled_against_its_word},
    {"publishing/deleted-exchange",
     "A link to an exchange outlives it until the next message.",
     "released, link closes amqp:not-found", deleted_exchange},
    {"publishing/one-refuses",
     "Rejected when one of several queues refuses; the others have it.",
     "rejected; the other queue has m", one_refuses},
};

} // namespace

script_group publishing_scripts() { return scripts; }

} // namespace rookery::conformance
