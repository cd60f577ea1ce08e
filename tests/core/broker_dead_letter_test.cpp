// Goal: what a queue gives up goes where its dead letters go, with a record of
// what became of it, and never round in a circle.
// Method: a queue of each reason; then chains and circles of queues.
#include "tests/core/broker_shell.hpp"

using namespace std::chrono_literals;

namespace rookery::broker::tests {

namespace {

queue_options dying_to(std::string exchange,
                       std::optional<std::string> key = {}) {
  queue_options result;
  result.dead_letter_exchange = std::move(exchange);
  result.dead_letter_key = std::move(key);
  return result;
}

struct graveyard : broker_shell {
  graveyard() {
    declare("dead");
    attach("dead", "d", 100);
  }

  /// Takes what the consumer of `dead` gets: one message.
  message_ptr dead_letter(std::uint32_t delivery_count = 0) {
    event each;
    message_ptr result;
    while (host.next(each)) {
      CHECK_FALSE(result);
      CHECK_FALSE(each.first_acquirer);
      CHECK(each.delivery_count == delivery_count);
      result = each.message;
    }
    REQUIRE(result);
    REQUIRE(result->history);
    return result;
  }
};

} // namespace

TEST_CASE("dead letter: refused messages and those undeliverable here") {
  for (auto [how, failed] :
       {std::pair{outcome::rejected, 1u}, std::pair{outcome::undeliverable, 0u},
        std::pair{outcome::undeliverable_failed, 1u}}) {
    graveyard broker;
    broker.declare("q", dying_to("", "dead"));
    broker.attach("q", "c", 1);
    broker.publish_all("q", {"a"});
    CHECK(broker.take() == texts{"c:a"});
    CHECK(broker.settle("c", "a", how));
    const auto letter = broker.dead_letter(failed);
    CHECK(letter->bytes == "a");
    const auto& death = letter->history->records.at(0);
    CHECK(death.queue == "q");
    CHECK(death.reason == death_reason::rejected);
    CHECK(death.count == 1);
    CHECK(death.first_time == broker.wall);
  }
}

TEST_CASE("dead letter: accepted and purged messages do not die") {
  graveyard broker;
  broker.declare("q", dying_to("", "dead"));
  broker.attach("q", "c", 1);
  broker.publish_all("q", {"a", "b"});
  CHECK(broker.take() == texts{"c:a"});
  CHECK(broker.settle("c", "a"));
  REQUIRE(broker.host.purge_queue("q", 0));
  CHECK(broker.take().empty());
  CHECK(broker.counts("dead").published == 0);
}

TEST_CASE("dead letter: what waited too long, without its time to live") {
  graveyard broker;
  broker.declare("q", dying_to("", "dead"));
  auto fresh = std::make_shared<message>();
  fresh->bytes = "a";
  fresh->ttl = 100ms;
  broker.host.publish("", "q", fresh);
  broker.pass(100ms);
  const auto letter = broker.dead_letter();
  CHECK(letter->ttl == std::nullopt);
  CHECK(letter->history->records.at(0).ttl == 100ms);
  CHECK(letter->history->records.at(0).reason == death_reason::expired);
}

TEST_CASE(
    "dead letter: the head of a full queue, and what came back too often") {
  graveyard broker;
  auto options = dying_to("", "dead");
  options.length_max = 1;
  options.delivery_limit = 0;
  broker.declare("q", options);
  broker.publish_all("q", {"a", "b"});
  CHECK(broker.dead_letter()->history->first_reason == death_reason::maxlen);
  broker.attach("q", "c", 1);
  CHECK(broker.take() == texts{"c:b"});
  CHECK(broker.settle("c", "b", outcome::failed));
  CHECK(broker.dead_letter(1)->history->first_reason
        == death_reason::delivery_limit);
}

TEST_CASE("dead letter: keeps its key unless the queue has another for it") {
  broker_shell broker;
  REQUIRE(broker.host.declare_exchange("dlx", exchange_type::direct, true));
  for (auto* name : {"by-own", "by-other"})
    broker.declare(name);
  REQUIRE(broker.host.bind("dlx", "by-own", "key", 0));
  REQUIRE(broker.host.bind("dlx", "by-other", "other", 0));
  REQUIRE(broker.host.declare_exchange("x", exchange_type::fanout, true));
  auto options = dying_to("dlx");
  options.length_max = 0;
  broker.declare("keeps", options);
  options.dead_letter_key = "other";
  broker.declare("changes", options);
  for (auto* name : {"keeps", "changes"})
    REQUIRE(broker.host.bind("x", name, "", 0));
  auto fresh = std::make_shared<message>();
  fresh->bytes = "a";
  fresh->published_to = std::make_shared<publication>(publication{"x", "key"});
  CHECK(broker.host.publish("x", "key", fresh).what
        == publish_outcome::accepted);
  CHECK(broker.take().empty());
  CHECK(broker.counts("by-own").published == 1);
  CHECK(broker.counts("by-other").published == 1);
  broker.attach("by-other", "c", 1);
  event each;
  REQUIRE(broker.host.next(each));
  const auto& record = each.message->history->records.at(0);
  CHECK(record.published_to.exchange == "x");
  CHECK(record.published_to.key == "key");
  CHECK(each.message->published_to->exchange == "dlx");
}

TEST_CASE("dead letter: is lost where it leads nowhere, and counted") {
  broker_shell broker;
  auto options = dying_to("no such exchange");
  options.length_max = 0;
  broker.declare("q", options);
  options.dead_letter_exchange = "";
  options.dead_letter_key = "no such queue";
  broker.declare("p", options);
  broker.publish_all("q", {"a"});
  broker.publish_all("p", {"b"});
  CHECK(broker.take().empty());
  CHECK(broker.host.dead_counts().lost == 2);
  CHECK(broker.host.dead_counts().published == 0);
  CHECK(broker.host.bytes_used() == 0);
}

TEST_CASE("dead letter: reject-publish is said to publishers, not to letters") {
  broker_shell broker;
  queue_options full;
  full.length_max = 0;
  full.overflow = overflow_policy::reject_publish;
  broker.declare("dead", full);
  auto options = dying_to("", "dead");
  options.length_max = 0;
  broker.declare("q", options);
  broker.publish_all("dead", {"one beyond the limit"});
  broker.publish_all("q", {"a"});
  CHECK(broker.publish("dead", "b") == publish_outcome::rejected);
  CHECK(broker.take().empty());
  CHECK(broker.counts("dead").ready == 2);
}

TEST_CASE("dead letter: counts against the limits until it is published") {
  // Published with the key "q" to the queue "q", and then with "dead".
  const auto history =
      bytes_of(
          death_history{{{.queue = "q", .published_to = {"", "q"}}}, "q", ""})
      + bytes_of(publication{"", "dead"});
  virtual_host_options limits;
  limits.bytes_max = 2 * cost_of(*text_message("a")) + history;
  broker_shell broker{limits};
  auto options = dying_to("", "dead");
  options.length_max = 0;
  broker.declare("q", options);
  broker.declare("dead");
  broker.publish_all("q", {"a", "b"});
  CHECK(broker.counts("q").ready == 0);
  const std::string much(history, 'c');
  CHECK(broker.publish("q", much) == publish_outcome::rejected);
  CHECK(broker.take().empty());
  CHECK(broker.host.bytes_used() == cost_of(*text_message("a")) + history);
  CHECK(broker.host.dead_counts().published == 1); // with its history
  CHECK(broker.host.dead_counts().lost == 1);
}

TEST_CASE("dead letter: a chain keeps every death, the latest first") {
  graveyard broker;
  auto first = dying_to("", "second");
  first.length_max = 0;
  broker.declare("first", first);
  auto second = dying_to("", "dead");
  second.message_ttl = 10ms;
  broker.declare("second", second);
  broker.publish_all("first", {"a"});
  CHECK(broker.take().empty());
  broker.pass(10ms);
  const auto letter = broker.dead_letter();
  REQUIRE(letter->history->records.size() == 2);
  CHECK(letter->history->records[0].queue == "second");
  CHECK(letter->history->records[0].published_to.key == "second");
  CHECK(letter->history->records[1].queue == "first");
  CHECK(letter->history->first_queue == "first");
}

TEST_CASE("dead letter: never goes round in a circle by itself") {
  broker_shell broker;
  auto to_right = dying_to("", "right");
  to_right.length_max = 0;
  auto to_left = dying_to("", "left");
  to_left.length_max = 0;
  broker.declare("left", to_right);
  broker.declare("right", to_left);
  broker.publish_all("left", {"a"});
  CHECK(broker.take().empty());
  CHECK(broker.host.dead_counts().published == 1);
  CHECK(broker.host.dead_counts().lost == 1);
  auto to_itself = dying_to("", "self");
  to_itself.message_ttl = 1ms;
  broker.declare("self", to_itself);
  broker.publish_all("self", {"b"});
  broker.pass(1ms);
  CHECK(broker.take().empty());
  CHECK(broker.counts("self").ready == 0);
}

TEST_CASE(
    "dead letter: goes round for a consumer that refuses: a delayed retry") {
  broker_shell broker;
  broker.declare("work", dying_to("", "wait"));
  auto wait = dying_to("", "work");
  wait.message_ttl = 50ms;
  broker.declare("wait", wait);
  broker.attach("work", "c", 100);
  broker.publish_all("work", {"a"});
  CHECK(broker.take() == texts{"c:a"});
  for (std::uint64_t round = 1; round <= 3; ++round) {
    CHECK(broker.settle("c", "a", outcome::rejected));
    CHECK(broker.take().empty());
    broker.wall += 1s;
    broker.pass(50ms);
    CHECK(broker.take() == texts{"c:a*+" + std::to_string(round)});
    CHECK(broker.counts("wait").expired == round);
  }
  CHECK(broker.settle("c", "a", outcome::rejected));
  CHECK(broker.take().empty());
  broker.attach("wait", "w", 1);
  event each;
  REQUIRE(broker.host.next(each));
  const auto& records = each.message->history->records;
  REQUIRE(records.size() == 2);
  CHECK(records[0].queue == "work");
  CHECK(records[0].count == 4);
  CHECK(records[0].last_time - records[0].first_time == 3s);
  CHECK(records[1].count == 3);
  CHECK(each.message->history->first_queue == "work");
}

TEST_CASE("dead letter: a queue that was deleted leaves its letters in order") {
  graveyard broker;
  auto options = dying_to("", "dead");
  options.length_max = 0;
  broker.declare("q", options);
  broker.publish_all("q", {"a", "b"});
  REQUIRE(broker.host.delete_queue("q", 0));
  CHECK(broker.take() == texts{"d:a*", "d:b*"});
}

namespace {

notes_ptr notes(std::vector<note> all) {
  return std::make_shared<const std::vector<note>>(std::move(all));
}

texts told(const message_ptr& letter) {
  texts result;
  if (letter->notes)
    for (const auto& each : *letter->notes)
      result.push_back(each.key + "=" + each.value);
  return result;
}

} // namespace

TEST_CASE("dead letter: has the notes of the consumer that gave it up") {
  graveyard broker;
  broker.declare("q", dying_to("", "dead"));
  broker.attach("q", "c", 10);
  broker.publish_all("q", {"a"});
  CHECK(broker.take() == texts{"c:a"});
  CHECK(broker.settle("c", "a", outcome::failed, notes({{"k", "lost"}})));
  CHECK(broker.take() == texts{"c:a*+1"});
  CHECK(broker.settle("c", "a", outcome::undeliverable, notes({{"k", "1"}})));
  const auto letter = broker.dead_letter(1);
  CHECK(told(letter) == texts{"k=1"});
  CHECK(cost_of(*letter)
        == 1 + message_overhead_bytes + bytes_of(*letter->history)
               + bytes_of(*letter->published_to) + note_overhead_bytes + 2);
  CHECK(broker.host.dead_counts().published == 1);
}

TEST_CASE("dead letter: newer notes take the place of older ones") {
  graveyard broker;
  broker.declare("one", dying_to("", "two"));
  broker.declare("two", dying_to("", "dead"));
  broker.attach("one", "c", 1);
  broker.attach("two", "e", 1);
  broker.publish_all("one", {"a"});
  CHECK(broker.take() == texts{"c:a"});
  broker.settle("c", "a", outcome::undeliverable,
                notes({{"k", "1"}, {"kept", "2"}}));
  CHECK(broker.take() == texts{"e:a*"});
  broker.settle("e", "a", outcome::undeliverable, notes({{"k", "3"}}));
  CHECK(told(broker.dead_letter()) == texts{"k=3", "kept=2"});
}

TEST_CASE("dead letter: notes have a limit, and the newest count first") {
  const auto long_note = std::string(note_bytes_max / 2, 'x');
  const auto all = merged(notes({{"new", long_note}}),
                          notes({{"old", long_note}, {"short", "1"}}));
  REQUIRE(all->size() == 2);
  CHECK(all->at(0).key == "new");
  CHECK(all->at(1).key == "short");
  std::vector<note> many(notes_max);
  for (std::size_t i = 0; i < many.size(); ++i)
    many[i].key = std::to_string(i);
  CHECK(merged(notes({{"new", ""}}), notes(many))->size() == notes_max);
  CHECK(merged(nullptr, nullptr) == nullptr);
}

} // namespace rookery::broker::tests
