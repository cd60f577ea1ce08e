// Which queues an exchange leads to.
#include "tests/conformance/messages.hpp"
#include "tests/conformance/script.hpp"

#include <utility>

namespace rookery::conformance {

namespace {

using bindings = std::vector<std::pair<const char*, const char*>>;

/// An exchange of the name of its type, and queues that are bound to it.
void make(stage& x, const char* type, const bindings& all) {
  x.make_exchange(type, type);
  for (const auto& [queue, key] : all) {
    x.declare(queue); // again for its second binding
    x.bind(type, queue, key);
  }
}

/// Publishes a message for each key, whose body is the key.
void publish(stage& x, const char* type, const texts& keys) {
  for (const auto& key : keys) {
    auto& out = x.me().sender(x.exchange(type, key));
    x.me().publish(out, text_message(key.empty() ? "-" : key));
    x.me().close(out);
  }
}

/// What came to each queue.
std::string found(stage& x, const texts& queues) {
  texts seen;
  for (const auto& each : queues)
    seen.push_back(each + ": " + x.rest(each));
  return joined(seen);
}

std::string keys(stage& x) {
  make(x, "direct", {{"a", "k"}, {"b", "k"}, {"c", "l"}});
  make(x, "fanout", {{"d", "k"}, {"e", ""}});
  publish(x, "direct", {"k", "l", "kk", ""});
  publish(x, "fanout", {"k", "l", "kk", ""});
  return found(x, {"a", "b", "c", "d", "e"});
}

std::string topic(stage& x) {
  make(x, "topic",
       {{"one", "a.*"},
        {"all", "#"},
        {"from", "a.#"},
        {"to", "#.c"},
        {"middle", "a.#.c"},
        {"word", "*"},
        {"exact", "a.b"}});
  publish(x, "topic", {"a", "a.b", "a.b.c", "a.c", "c", "a.", ""});
  return found(x, {"one", "all", "from", "to", "middle", "word", "exact"});
}

std::string once(stage& x) {
  make(x, "topic", {{"q", "a.*"}, {"q", "#"}, {"q", "a.b"}});
  publish(x, "topic", {"a.b"});
  return found(x, {"q"});
}

std::string unbinding(stage& x) {
  make(x, "fanout", {{"q", "k"}, {"q", "l"}});
  const auto remove = [&](const std::string& key) {
    x.management().ask("DELETE", "/bindings/src=" + x.name("fanout") + ";dstq="
                                     + x.name("q") + ";key=" + key + ";args=");
  };
  auto& out = x.me().sender(x.exchange("fanout", "k"));
  const auto publish_one = [&] {
    return text_of(x.me().publish(out, text_message("m")));
  };
  auto seen = "two bindings: " + publish_one();
  remove("k");
  seen += "; one: " + publish_one();
  remove("l");
  seen += "; none: " + publish_one();
  return seen;
}

constexpr script scripts[]{
    {"routing/keys",
     "Direct exchanges compare keys, fanout ones do not look at them.",
     "a: k; b: k; c: l; d: k l kk -; e: k l kk -", keys},
    {"routing/topic", "A topic exchange matches words: * one, # any number.",
     "one: a.b a.c a.; all: a a.b a.b.c a.c c a. -; from: a a.b a.b.c a.c a.; "
     "to: a.b.c a.c c; middle: a.b.c a.c; word: a c; exact: a.b",
     topic},
    {"routing/once", "A queue gets one copy, however many bindings match.",
     "q: a.b", once},
    {"routing/unbinding", "A binding leads there until it is removed.",
     "two bindings: accepted; one: accepted; none: released", unbinding},
};

} // namespace

script_group routing_scripts() { return scripts; }

} // namespace rookery::conformance
