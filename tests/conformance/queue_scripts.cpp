// Queues over management: status codes, counts, what it refuses.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

#include <array>
#include <utility>

namespace rookery::conformance {

namespace {

fields body_of_queue(const fields& arguments, bool durable = true,
                     bool exclusive = false, bool auto_delete = false) {
  return {{"durable", durable},
          {"exclusive", exclusive},
          {"auto_delete", auto_delete},
          {"arguments", proton::value{arguments}}};
}

fields quorum() { return {{"x-queue-type", std::string{"quorum"}}}; }

std::string declare(stage& x) {
  const fields nine{{"x-max-length", std::int64_t{9}}};
  const fields eight{{"x-max-length", std::int64_t{8}}};
  auto all = quorum();
  all.insert(nine.begin(), nine.end());
  const auto transient = body_of_queue(all, false);
  return told({"new ", x.declare("q", nine), ", again ", x.declare("q", nine),
               ", another argument ", x.declare("q", eight),
               ", another durable ",
               x.management().ask("PUT", x.queue("q"), transient).status,
               ", a default said ",
               x.declare("q", {{"x-max-length", std::int64_t{9}},
                               {"x-overflow", std::string{"drop-head"}}})});
}

std::string type(stage& x) {
  x.declare_classic("q", false, false);
  return told(
      {"classic: type=", x.management().ask("GET", x.queue("q")).field("type"),
       "; again as quorum ", x.declare("q")});
}

std::string default_type(stage& x) {
  x.remember_queue("q");
  auto& asked = x.management();
  asked.ask("PUT", x.queue("q"), body_of_queue({}));
  const auto found = asked.ask("GET", x.queue("q"));
  const fields classic{{"x-queue-type", std::string{"classic"}}};
  return told({"type=", found.field("type"), "; again as classic ",
               asked.ask("PUT", x.queue("q"), body_of_queue(classic)).status});
}

std::string describe(stage& x) {
  x.make_queue("q", {{"x-max-length", std::int64_t{9}}});
  x.put("q", {"a", "b"});
  x.receiver("q");
  const auto found = x.management().ask("GET", x.queue("q"));
  auto seen = found.status;
  for (const auto* each : {"name", "vhost", "type", "durable", "exclusive",
                           "auto_delete", "message_count", "consumer_count"})
    seen += std::string{" "} + each + "=" + found.field(each);
  return seen;
}

std::string arguments(stage& x) {
  x.make_queue("q", {{"x-max-length", std::int64_t{9}},
                     {"x-overflow", std::string{"drop-head"}}});
  const auto found = x.management().ask("GET", x.queue("q"));
  texts seen;
  const auto all = proton::get<fields>(found.body);
  for (const auto& [key, value] : proton::get<fields>(all.at("arguments")))
    seen.push_back(key + "=" + proton::to_string(value));
  return joined(seen, " ");
}

std::string removal(stage& x) {
  x.make_queue("q");
  x.put("q", {"a", "b", "c"});
  auto& in = x.receiver("q", 1);
  x.me().take(in);
  const auto purged = x.purge("q");
  x.me().close(in);
  auto& asked = x.management();
  const auto gone = asked.ask("DELETE", x.queue("q"));
  const auto twice = asked.ask("DELETE", x.queue("q"));
  return told({"purge ", purged, " of 3, one held; delete ", gone.status,
               " with ", gone.field("message_count"), "; when gone: delete ",
               twice.status, " with ", twice.field("message_count"), ", get ",
               asked.ask("GET", x.queue("q")).status, ", purge ",
               asked.ask("DELETE", x.queue("q") + "/messages").status});
}

std::string bad_names(stage& x) {
  const auto put = [&](const std::string& name) {
    return x.management()
        .ask("PUT", "/queues/" + name, body_of_queue(quorum()))
        .status;
  };
  auto odd = body_of_queue(quorum());
  odd["durability"] = true;
  return told({"empty ", put(""), ", with a line end ", put(x.name("a%0Ab")),
               ", reserved ", put("amq." + x.name("q")), ", unknown property ",
               x.management().ask("PUT", x.queue("q"), odd).status});
}

std::string bad_arguments(stage& x) {
  using argument = std::pair<const char*, proton::value>;
  const std::array<argument, 10> all{{
      {"x-max-length", std::string{"many"}},
      {"x-max-length", std::int64_t{-1}},
      {"x-overflow", std::string{"explode"}},
      {"x-message-ttl", std::int64_t{-1}},
      {"x-expires", std::int64_t{0}},
      {"x-single-active-consumer", std::string{"yes"}},
      {"x-dead-letter-routing-key", std::string{"alone"}},
      {"x-dead-letter-exchange", true},
      {"x-queue-type", std::string{"nonsense"}},
      // Classic queues have it, quorum queues do not.
      {"x-max-priority", std::int64_t{5}},
  }};
  texts seen;
  for (const auto& [key, value] : all)
    seen.push_back(told({key, "=", proton::to_string(value), " ",
                         x.declare("q", {{key, value}})}));
  return joined(seen);
}

std::string quorum_properties(stage& x) {
  const auto put = [&](std::string_view name, bool durable, bool exclusive,
                       bool auto_delete) {
    x.remember_queue(name);
    return x.management()
        .ask("PUT", x.queue(name),
             body_of_queue(quorum(), durable, exclusive, auto_delete))
        .status;
  };
  return told({"transient ", put("a", false, false, false), ", exclusive ",
               put("b", true, true, false), ", auto-delete ",
               put("c", true, false, true)});
}

constexpr script scripts[]{
    {"queues/declare", "A queue is made once; other terms are a conflict.",
     "new 201, again 200, another argument 409, another durable 409, "
     "a default said 409",
     declare},
    {"queues/type", "The type of a queue is one of its terms.",
     "classic: type=classic; again as quorum 409", type},
    {"queues/default-type", "A queue is a classic one if nothing is said.",
     "type=classic; again as classic 200", default_type},
    {"queues/describe", "GET tells what a queue is and holds.",
     "200 name=q vhost=/ type=quorum durable=true exclusive=false "
     "auto_delete=false message_count=2 consumer_count=1",
     describe},
    {"queues/arguments", "GET tells every argument it was declared with.",
     "x-max-length=9 x-overflow=drop-head x-queue-type=quorum", arguments},
    {"queues/removal",
     "Purging and deleting tell how many messages were ready; to delete what "
     "is not there is no error.",
     "purge 2 of 3, one held; delete 200 with 1; "
     "when gone: delete 200 with 0, get 404, purge 400",
     removal},
    {"queues/bad-names", "Names and properties that are refused.",
     "empty 400, with a line end 400, reserved 403, unknown property 400",
     bad_names},
    // rabbit_amqqueue:check_declare_arguments fails as precondition_failed,
    // which rabbit_amqp_management answers with 409; the exchange is looked at
    // earlier, in check_dead_letter_exchange.
    {"queues/bad-arguments", "Arguments with values they cannot have.",
     "x-max-length=many 409; x-max-length=-1 409; x-overflow=explode 409; "
     "x-message-ttl=-1 409; x-expires=0 409; x-single-active-consumer=yes 409; "
     "x-dead-letter-routing-key=alone 409; x-dead-letter-exchange=true 400; "
     "x-queue-type=nonsense 409; x-max-priority=5 409",
     bad_arguments},
    // rabbit_quorum_queue:declare
    {"queues/quorum-properties", "A quorum queue is durable, shared and stays.",
     "transient 400, exclusive 400, auto-delete 400", quorum_properties},
};

} // namespace

script_group queue_scripts() { return scripts; }

} // namespace rookery::conformance
