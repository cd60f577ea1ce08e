// Goal: a topic exchange leads to the queues whose patterns a key matches, word
// by word, each once.
// Method: small tables of patterns; then random ones against a matcher that is
// written for plainness.
#include "broker/core/topic_index.hpp"
#include "testing/seed.hpp"
#include "tests/core/broker_shell.hpp"

namespace rookery::broker::tests {

namespace {

/// A topic exchange `t` and queues bound by one pattern each, named by it.
struct topics : broker_shell {
  topics() { REQUIRE(host.declare_exchange("t", exchange_type::topic, true)); }

  void bind(std::string_view queue, std::string_view pattern) {
    if (host.find_queue(queue) == nullptr)
      declare(queue);
    auto bound = host.bind("t", queue, pattern, 0);
    REQUIRE(bound);
    REQUIRE(bound.value());
  }

  publish_outcome send(std::string_view key) {
    return host.publish("t", key, text_message("m")).what;
  }

  [[nodiscard]] bool leads(std::string_view pattern, std::string_view key) {
    topic_index index;
    std::vector<queue*> bound{nullptr};
    index.add(pattern, bound);
    std::vector<queue*> found;
    index.match(key, found);
    return !found.empty();
  }
};

bool plainly_matches(std::span<const std::string> pattern,
                     std::span<const std::string> key) {
  if (pattern.empty())
    return key.empty();
  if (pattern[0] == "#")
    return plainly_matches(pattern.subspan(1), key)
           || (!key.empty() && plainly_matches(pattern, key.subspan(1)));
  return !key.empty() && (pattern[0] == "*" || pattern[0] == key[0])
         && plainly_matches(pattern.subspan(1), key.subspan(1));
}

std::string joined(const texts& words) {
  std::string result;
  for (const auto& each : words)
    result += (result.empty() ? "" : ".") + each;
  return result;
}

} // namespace

TEST_CASE("topic: a star is one word, a hash any number of them") {
  topics t;
  CHECK(t.leads("a.b", "a.b"));
  CHECK_FALSE(t.leads("a.b", "a.b.c"));
  CHECK_FALSE(t.leads("a.b", "a"));
  CHECK(t.leads("a.*", "a.b"));
  CHECK_FALSE(t.leads("a.*", "a"));
  CHECK_FALSE(t.leads("a.*", "a.b.c"));
  CHECK(t.leads("a.#", "a"));
  CHECK(t.leads("a.#", "a.b.c"));
  CHECK(t.leads("#.c", "a.b.c"));
  CHECK(t.leads("#.c", "c"));
  CHECK_FALSE(t.leads("#.c", "c.a"));
  CHECK(t.leads("#", ""));
  CHECK(t.leads("#", "any.key"));
  CHECK(t.leads("", ""));
  CHECK_FALSE(t.leads("", "a"));
  CHECK_FALSE(t.leads("*", ""));
  CHECK(t.leads("*.#.*", "a.b"));
  CHECK_FALSE(t.leads("*.#.*", "a"));
}

TEST_CASE("topic: empty words count, and a key's own stars mean nothing") {
  topics t;
  CHECK(t.leads("a.*.b", "a..b"));
  CHECK(t.leads("a.", "a."));
  CHECK_FALSE(t.leads("a.", "a"));
  CHECK(t.leads("*.", "x."));
  CHECK_FALSE(t.leads("a.b", "a.*"));
  CHECK(t.leads("a.*", "a.#"));
  CHECK_FALSE(t.leads("a.*", "a.#.c"));
}

TEST_CASE("topic: a queue gets a message once, however many patterns match") {
  topics t;
  t.bind("q", "a.*");
  t.bind("q", "a.#");
  t.bind("q", "#");
  t.bind("other", "*.b");
  CHECK(t.send("a.b") == publish_outcome::accepted);
  CHECK(t.counts("q").ready == 1);
  CHECK(t.counts("other").ready == 1);
}

TEST_CASE("topic: a binding that goes leads nowhere") {
  topics t;
  t.bind("q", "a.*.c");
  t.bind("q", "a.*");
  t.bind("p", "a.*");
  REQUIRE(t.host.unbind("t", "q", "a.*", 0));
  CHECK(t.send("a.b") == publish_outcome::accepted);
  CHECK(t.counts("q").ready == 0);
  CHECK(t.counts("p").ready == 1);
  REQUIRE(t.host.delete_queue("p", 0));
  CHECK(t.send("a.b") == publish_outcome::released);
  CHECK(t.send("a.b.c") == publish_outcome::accepted);
  REQUIRE(t.host.delete_queue("q", 0));
  CHECK(t.send("a.b.c") == publish_outcome::released);
  CHECK(t.host.exchanges().binding_count() == 0);
}

TEST_CASE("topic: amq.topic is there, and a link's route follows bindings") {
  topics t;
  t.declare("q");
  route to{"amq.topic", "a.b"};
  CHECK(t.host.publish(to, text_message("m")).what
        == publish_outcome::released);
  REQUIRE(t.host.bind("amq.topic", "q", "a.#", 0));
  CHECK(t.host.publish(to, text_message("m")).what
        == publish_outcome::accepted);
  auto moved = std::move(to);
  CHECK(t.host.publish(moved, text_message("m")).what
        == publish_outcome::accepted);
  CHECK(t.counts("q").ready == 2);
}

TEST_CASE("topic: random patterns match what a plain matcher says") {
  const auto seed = testing::seed();
  INFO("seed " << seed);
  testing::random_source random{seed};
  const auto draw = [&](const texts& alphabet) {
    texts words(random.below(6));
    for (auto& each : words)
      each = alphabet[random.below(alphabet.size())];
    return words;
  };
  for (int round = 0; round < 300; ++round) {
    topic_index index;
    std::map<std::string, texts> patterns;
    for (int i = 0; i < 8; ++i) {
      auto words = draw({"a", "b", "*", "#"});
      patterns.emplace(joined(words), words);
    }
    std::map<std::string, std::vector<queue*>> bound;
    for (const auto& [text, words] : patterns)
      index.add(text, bound[text] = {reinterpret_cast<queue*>(&bound[text])});
    while (patterns.size() > 4) {
      index.remove(patterns.begin()->first);
      patterns.erase(patterns.begin());
    }
    for (int i = 0; i < 20; ++i) {
      const auto key = draw({"a", "b", "c"});
      std::vector<queue*> found;
      index.match(joined(key), found);
      std::size_t due = 0;
      for (const auto& [text, words] : patterns)
        due += plainly_matches(words, key) ? 1 : 0;
      INFO("key '" << joined(key) << "'");
      CHECK(found.size() == due);
    }
  }
}

TEST_CASE("topic: a pattern of hashes alone costs no more than its words") {
  topic_index index;
  std::vector<queue*> bound{nullptr};
  texts hashes(120, "#");
  hashes.push_back("end");
  const auto pattern = joined(hashes);
  index.add(pattern, bound);
  std::vector<queue*> found;
  index.match(joined(texts(120, "a")), found); // ends at all
  CHECK(found.empty());
  index.match("a.a.a.end", found);
  CHECK(found.size() == 1);
}

} // namespace rookery::broker::tests
