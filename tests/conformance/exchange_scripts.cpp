// Exchanges and bindings over management.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

#include <proton/codec/vector.hpp>

#include <vector>

namespace rookery::conformance {

namespace {

std::string put(stage& x, const std::string& path, const std::string& type,
                bool durable = true) {
  return x.management()
      .ask("PUT", path,
           fields{{"type", type},
                  {"durable", durable},
                  {"auto_delete", false},
                  {"internal", false},
                  {"arguments", proton::value{fields{}}}})
      .status;
}

std::string post(stage& x, const std::string& exchange,
                 const std::string& queue, const std::string& key) {
  return x.management()
      .ask("POST", "/bindings",
           fields{{"source", exchange},
                  {"destination_queue", queue},
                  {"binding_key", key},
                  {"arguments", proton::value{fields{}}}})
      .status;
}

std::string declare(stage& x) {
  x.make_exchange("x", "fanout");
  return told({"again ", put(x, x.exchange("x"), "fanout"), ", another type ",
               put(x, x.exchange("x"), "direct"), ", another durable ",
               put(x, x.exchange("x"), "fanout", false), ", unknown type ",
               put(x, x.exchange("y"), "nonsense"), ", deleted ",
               x.management().ask("DELETE", x.exchange("x")).status, ", twice ",
               x.management().ask("DELETE", x.exchange("x")).status});
}

std::string reserved(stage& x) {
  const auto amq = "/exchanges/amq." + x.name("x");
  return told({"a new one ", put(x, amq, "direct"), ", one that is there ",
               put(x, "/exchanges/amq.direct", "direct"), ", deleted ",
               x.management().ask("DELETE", "/exchanges/amq.direct").status,
               ", the default one ", put(x, "/exchanges/", "direct")});
}

std::string bindings(stage& x) {
  x.make_queue("a/b");
  x.make_exchange("x", "direct");
  const auto query = "/bindings?src=" + x.name("x") + "&dstq=" + x.name("a%2Fb")
                     + "&key=k%20y";
  const auto list = [&] {
    const auto found = x.management().ask("GET", query);
    return proton::get<std::vector<proton::value>>(found.body);
  };
  auto seen = "made " + post(x, x.name("x"), x.name("a/b"), "k y");
  seen += ", again " + post(x, x.name("x"), x.name("a/b"), "k y");
  const auto all = list();
  const answer first{{}, all.at(0)};
  const auto location = first.field("location");
  seen += "; " + std::to_string(all.size()) + " from " + first.field("source")
          + " to " + first.field("destination_queue") + " by "
          + first.field("binding_key") + " at " + location;
  seen += "; removed " + x.management().ask("DELETE", location).status;
  seen += ", again " + x.management().ask("DELETE", location).status;
  seen += "; " + std::to_string(list().size()) + " left";
  return seen;
}

std::string bad_bindings(stage& x) {
  x.make_queue("q");
  x.make_exchange("x", "direct");
  return told({"no queue ", post(x, x.name("x"), x.name("nope"), "k"),
               ", no exchange ", post(x, x.name("nope"), x.name("q"), "k"),
               ", the default exchange ", post(x, "", x.name("q"), "k")});
}

constexpr script scripts[]{
    {"exchanges/declare", "An exchange keeps its type and durability.",
     "again 204, another type 409, another durable 409, unknown type 400, "
     "deleted 204, twice 204",
     declare},
    {"exchanges/reserved", "Exchanges of the broker itself stay as they are.",
     "a new one 403, one that is there 204, deleted 403, the default one 403",
     reserved},
    {"exchanges/bindings", "Bindings are made, listed and removed.",
     "made 204, again 204; 1 from x to a/b by k y at "
     "/bindings/src=x;dstq=a%2Fb;key=k%20y;args=; removed 204, again 204; "
     "0 left",
     bindings},
    {"exchanges/bad-bindings", "Both ends must be there, and may be bound.",
     "no queue 400, no exchange 400, the default exchange 403", bad_bindings},
};

} // namespace

script_group exchange_scripts() { return scripts; }

} // namespace rookery::conformance
