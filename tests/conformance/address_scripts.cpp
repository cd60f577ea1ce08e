// Where links may lead. An attach that is refused ends its session.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

namespace rookery::conformance {

namespace {

std::string missing(stage& x) {
  return told({"to a queue: ", x.try_attach(true, x.queue("q")),
               "; from a queue: ", x.try_attach(false, x.queue("q")),
               "; to an exchange: ", x.try_attach(true, x.exchange("x", "k"))});
}

std::string bad_targets(stage& x) {
  texts seen;
  for (const std::string each :
       {"/queues/", "/queues/%zz", "/exchanges//k", "/exchanges/amq.default/k",
        "/exchanges/amq.direct/k/l", "/nonsense"})
    seen.push_back(each + ": " + x.try_attach(true, each));
  return joined(seen);
}

std::string bad_sources(stage& x) {
  return told(
      {"none: ", x.try_attach(false, std::nullopt),
       "; /queues/%zz: ", x.try_attach(false, "/queues/%zz"),
       "; an exchange: ", x.try_attach(false, "/exchanges/amq.direct/k"),
       "; /queues/: ", x.try_attach(false, "/queues/")});
}

std::string plain_name(stage& x) {
  x.remember_queue("plain");
  auto& out = x.me().sender(x.name("plain"));
  const auto how = x.me().publish(out, text_message("m"));
  auto& in = x.me().receiver(x.name("plain"), {.credit = 1});
  return told({text_of(how), ", then ", body_of(x.me().take(in).message),
               "; GET /queues/plain: ",
               x.management().ask("GET", x.queue("plain")).status});
}

std::string dynamic(stage& x) {
  const auto fate = [&](bool sender) {
    auto& alone = x.connect();
    auto& made = alone.attach(sender, {.dynamic = true}, {});
    alone.wait("an attach", [&] { return made.answered(); });
    return made.fate();
  };
  return told({"a target: ", fate(true), "; a source: ", fate(false)});
}

std::string links_of_a_session(stage& x) {
  auto& alone = x.me().begin();
  const amqp::link_terms anonymous{.source = "here"};
  std::vector<client_link*> links;
  for (int i = 0; i < 256; ++i)
    links.push_back(&x.me().attach(true, anonymous, {.on = &alone}));
  x.me().wait("256 attaches", [&] { return links.back()->answered(); });
  auto& last = x.me().attach(true, anonymous, {.on = &alone});
  std::size_t attached = 0;
  for (const auto* each : links)
    attached += each->attached ? 1 : 0;
  x.me().wait("an attach", [&] { return last.answered(); });
  return std::to_string(attached) + " attached; one more: " + last.fate();
}

constexpr script scripts[]{
    {"addresses/missing",
     "A link to what does not exist is refused with its session.",
     "to a queue: session ends amqp:not-found; from a queue: session ends "
     "amqp:not-found; to an exchange: session ends amqp:not-found",
     missing},
    {"addresses/bad-targets", "Strings that are no address of a target.",
     "/queues/: session ends amqp:invalid-field; "
     "/queues/%zz: session ends amqp:invalid-field; "
     "/exchanges//k: session ends amqp:invalid-field; "
     "/exchanges/amq.default/k: session ends amqp:invalid-field; "
     "/exchanges/amq.direct/k/l: session ends amqp:invalid-field; "
     "/nonsense: session ends amqp:invalid-field",
     bad_targets},
    // Nothing is wrong with the last: it names a queue that is not there
    // (rabbit_amqp_session:ensure_source).
    {"addresses/bad-sources", "Strings that are no address of a source.",
     "none: session ends amqp:invalid-field; "
     "/queues/%zz: session ends amqp:invalid-field; "
     "an exchange: session ends amqp:invalid-field; "
     "/queues/: session ends amqp:not-found",
     bad_sources},
    {"addresses/plain-name", "A plain name stands for a queue and makes it.",
     "accepted, then m; GET /queues/plain: 200", plain_name},
    // RabbitMQ has dynamic sources since 4.2.
    {"addresses/dynamic", "The broker makes no addresses of its own.",
     "a target: session ends amqp:not-implemented; "
     "a source: session ends amqp:not-implemented",
     dynamic},
    {"addresses/links-of-a-session",
     "A session carries 256 links; one more ends it.",
     "256 attached; one more: session ends amqp:connection:framing-error",
     links_of_a_session},
};

} // namespace

script_group address_scripts() { return scripts; }

} // namespace rookery::conformance
