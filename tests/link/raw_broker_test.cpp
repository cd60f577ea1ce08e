// Goal: whatever a broker says of a node's messages, each ends exactly once; a
// broker that breaks the rules loses its connection, and the next one gets what
// had no end. Method: the client on a real AMQP engine, the broker written down
// frame by frame; time stands still until it is told.
#include "bridge/amqp/wire/message_encoder.hpp"
#include "bridge/amqp/wire/pack.hpp"
#include "tests/link/raw_world.hpp"

#include <array>

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;
using kind = bridge::outcome::kind_type;

namespace {

using ends = std::vector<std::pair<std::string, kind>>;

/// About the first of the node's sends.
std::string about_first(const std::string& how, const std::string& state) {
  return raw_disposition(hex("43"), hex("40"), how, state);
}

struct remark {
  std::string what;
  std::vector<std::string> said; // of two sends, "a" and "b", numbers 0 and 1
  ends known;                    // what has ended by it
  std::string reason = {};       // why the connection is over, if it is
};

/// A message, and one that holds others.
std::string message() {
  std::string result;
  bridge::envelope x;
  x.type = "t";
  amqp::encode_message(x, result);
  return result;
}
std::string pack(std::size_t count, const std::string& each) {
  amqp::pack_encoder result;
  result.begin();
  for (std::size_t i = 0; i < count; ++i)
    result.add(each);
  return std::string{result.bytes()};
}

std::vector<remark> remarks() {
  const auto zero = hex("43");
  const auto none = hex("40");
  return {
      {"accepted",
       {about_first(raw_settled, raw_accepted)},
       {{"a", kind::accepted}}},
      {"rejected",
       {about_first(raw_settled, raw_rejected)},
       {{"a", kind::rejected}}},
      {"released",
       {about_first(raw_settled, hex("00 53 26 45"))},
       {{"a", kind::released}}},
      {"modified",
       {about_first(raw_settled, hex("00 53 27 c0 03 02 41 42"))},
       {{"a", kind::modified}}},
      {"settled without an outcome",
       {about_first(raw_settled, none)},
       {{"a", kind::none}}},
      {"settled with an outcome of another standard",
       {about_first(raw_settled, hex("00 53 34 45"))},
       {{"a", kind::none}}},
      {"an outcome that is not settled",
       {about_first(raw_unsettled, raw_accepted)},
       {{"a", kind::accepted}}},
      {"an outcome, and settled later",
       {about_first(raw_unsettled, raw_rejected),
        about_first(raw_settled, raw_accepted)},
       {{"a", kind::rejected}}},
      {"received, which is no outcome, and nothing more",
       {about_first(raw_unsettled, hex("00 53 23 c0 03 02 43 44"))},
       {}},
      {"received, then accepted",
       {about_first(raw_unsettled, hex("00 53 23 c0 03 02 43 44")),
        about_first(raw_settled, raw_accepted)},
       {{"a", kind::accepted}}},
      {"an outcome twice",
       {about_first(raw_settled, raw_accepted),
        about_first(raw_settled, raw_accepted)},
       {{"a", kind::accepted}}},
      {"two outcomes",
       {about_first(raw_settled, raw_accepted),
        about_first(raw_settled, raw_rejected)},
       {{"a", kind::accepted}}},
      {"a number that nothing was sent under",
       {raw_disposition(hex("52 63"), none, raw_settled, raw_accepted)},
       {}},
      {"of sends, as if they were its own",
       {raw_disposition(zero, none, raw_settled, raw_accepted, hex("42"))},
       {}},
      {"all numbers there are",
       {raw_disposition(zero, hex("70 7f ff ff ff"), raw_settled,
                        raw_accepted)},
       {{"a", kind::accepted}, {"b", kind::accepted}}},
      {"numbers from last to first",
       {raw_disposition(hex("52 01"), zero, raw_settled, raw_accepted)},
       {},
       "amqp:not allowed"},
      {"an outcome of no known form",
       {about_first(raw_settled, hex("00 53 25 c0 02 01 00"))},
       {},
       "amqp:decode-error"},
  };
}

} // namespace

TEST_CASE("client: a send ends once, whatever the broker says of it",
          "[link][client][raw]") {
  for (const auto& each : remarks()) {
    INFO(each.what);
    raw_world w;
    for (auto text : {"a", "b"})
      send(*w.queue, text);
    w.connect();
    REQUIRE(w.manners.messages == 2);
    for (const auto& said : each.said)
      w.say(raw_frame(said, w.link(true).channel));
    CHECK(w.owner.outcomes == each.known);
    CHECK(w.owner.downs
          == (each.reason.empty() ? std::vector<std::string>{}
                                  : std::vector{each.reason}));
    // What has no end is sent again, to a broker that gives one to each.
    w.connect();
    CHECK(w.manners.messages == 2 - each.known.size());
    if (w.manners.messages > 0)
      w.say(raw_frame(
          raw_disposition(hex("43"), hex("52 01"), raw_settled, raw_accepted),
          w.link(true).channel));
    CHECK(w.owner.outcomes.size() == 2);
    CHECK(w.client.unfinished_sends() == 0);
  }
}

TEST_CASE("client: an outcome that is late, but in time, counts",
          "[link][client][raw]") {
  raw_world w;
  send(*w.queue, "a");
  w.connect();
  w.now += 29s;
  w.client.check(w.now);
  w.say(
      raw_frame(about_first(raw_settled, raw_accepted), w.link(true).channel));
  w.now += 29s;
  w.client.check(w.now);
  w.run();
  CHECK(w.owner.outcomes == ends{{"a", kind::accepted}});
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: credit of earlier connections is worth nothing",
          "[link][client][raw]") {
  raw_world w;
  for (int i = 0; i < 10; ++i)
    send(*w.queue, "x");
  raw_manners sparing;
  sparing.credit = hex("52 03");
  for (int i = 0; i < 4; ++i) {
    w.connect(sparing);
    CHECK(w.manners.messages == 3);
  }
  CHECK(w.client.unfinished_sends() == 10);
}

TEST_CASE("client: a broker that sends more than it may loses its node",
          "[link][client][raw]") {
  raw_world w{4};
  w.connect();
  for (char i = 0; i < 4; ++i)
    w.say(w.deliver(i));
  REQUIRE(w.owner.downs.empty());
  w.say(w.deliver(4));
  CHECK(w.owner.downs
        == std::vector<std::string>{"amqp:link:transfer-limit-exceeded"});
  CHECK(w.owner.deliveries.size() == 4);
}

TEST_CASE("client: what comes behind the end of a link is given back",
          "[link][client][raw]") {
  raw_world w;
  w.connect();
  const auto late = w.deliver(0);
  static_cast<void>(w.client.close_receiver(0)); // not written yet
  w.say(late);
  CHECK(w.owner.deliveries.empty());
  CHECK(w.manners.settled == 1);
  const auto untouched = hex("41 00 53 27"); // modified
  CHECK(w.manners.said.find(untouched) != std::string::npos);
}

TEST_CASE("client: what waits is forgotten with a link that ends while it is "
          "drained",
          "[link][client][raw]") {
  raw_world w;
  w.connect();
  w.client.hold_receiver(0, true);
  w.say(w.deliver(0) + w.deliver(1));
  REQUIRE(w.owner.deliveries.empty());
  REQUIRE_FALSE(w.client.close_receiver(0));
  const auto in = w.link(false);
  w.say(raw_frame(performative(0x16, 2, in.handle + hex("41")), in.channel));
  CHECK(w.client.close_receiver(0));
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: a pack that no node sends is one message",
          "[link][client][raw]") {
  const auto fullest = pack(amqp::pack_messages_max, message());
  const std::array others{pack(amqp::pack_messages_max + 1, message()),
                          pack(2, fullest), pack(2, "garbage"),
                          fullest + "garbage"};
  raw_world w{4};
  w.connect();
  for (char i = 0; i < 4; ++i)
    w.say(w.deliver(i, others.at(static_cast<std::size_t>(i))));
  REQUIRE(w.owner.downs.empty());
  REQUIRE(w.owner.deliveries.size() == others.size());
  for (std::size_t i = 0; i < others.size(); ++i)
    CHECK(w.owner.deliveries[i].second == others.at(i));
}

TEST_CASE("client: packs take no more credit than messages, and no less",
          "[link][client][raw]") {
  const auto fullest = pack(amqp::pack_messages_max, message());
  raw_world w{4};
  w.connect();
  for (char i = 0; i < 4; ++i)
    w.say(w.deliver(i, fullest));
  CHECK(w.owner.deliveries.size() == 4); // the others wait
  // The first of them ends with the last of its messages, and no earlier; three
  // are more than the window all the same.
  for (std::size_t i = 0; i < amqp::pack_messages_max; ++i) {
    CHECK(w.manners.settled == 0);
    w.client.settle(w.owner.deliveries[i].first, bridge::outcome::accepted());
    w.client.flush(w.now);
    w.run();
  }
  CHECK(w.manners.settled == 1);
  w.say(w.deliver(4, fullest));
  CHECK(w.owner.downs
        == std::vector<std::string>{"amqp:link:transfer-limit-exceeded"});
  CHECK(w.owner.deliveries.size() == 4 + amqp::pack_messages_max);
}

TEST_CASE("client: an answer of management that nests too deep is not read",
          "[link][client][raw]") {
  const auto answer = [](const std::string& body) {
    raw_world w;
    w.connect();
    const auto& to = w.manners.links.front();
    w.say(raw_transfer{.handle = to.handle, .payload = body}.frame(to.channel));
    return w.owner.downs;
  };
  const auto in_value = hex("00 53 77");
  CHECK(answer(in_value + raw_nested(30)).empty());
  const std::vector<std::string> malformed{"amqp:decode-error"};
  CHECK(answer(in_value + raw_nested(40)) == malformed);
  CHECK(answer(hex("00 53 74") + raw_nested(40)) == malformed);
  CHECK(answer(hex("00 53 77 c0 05")) == malformed);
  CHECK(answer("garbage") == malformed);
}

TEST_CASE("client: a broker that allows one session is told what is wrong",
          "[link][client][raw]") {
  raw_world w;
  raw_manners narrow;
  narrow.open =
      raw_frame(performative(0x10, 4, hex("a1 01 'p' 40 40 60 00 00")));
  w.connect(narrow);
  CHECK(w.owner.downs
        == std::vector<std::string>{"amqp:resource-limit-exceeded"});
}

TEST_CASE("client: a broker that attaches link after link loses its node",
          "[link][client][raw]") {
  raw_world w;
  w.connect();
  const auto detach = raw_frame(performative(0x16, 2, hex("43 41")), 5);
  w.far->say(raw_begin(5));
  for (int i = 0; i < 16; ++i)
    w.far->say(raw_attach(0, 5) + detach);
  CHECK(w.owner.downs.empty());
  w.far->say(raw_attach(0, 5) + detach);
  CHECK(w.owner.downs == std::vector<std::string>{"amqp:not-allowed"});
}

TEST_CASE("client: what the broker takes back is given back, settled or not",
          "[link][client][raw]") {
  const auto released = hex("00 53 26 45");
  const auto received = hex("00 53 23 c0 03 02 43 44");
  const auto say_of_first = [](raw_world& w, const std::string& how,
                               const std::string& state) {
    w.say(
        raw_frame(raw_disposition(hex("43"), hex("40"), how, state, hex("42")),
                  w.link(false).channel));
  };
  for (const auto& how : {raw_settled, raw_unsettled}) {
    raw_world w;
    w.connect();
    w.say(w.deliver(0));
    REQUIRE(w.owner.deliveries.size() == 1);
    say_of_first(w, raw_unsettled, received); // no end yet
    CHECK(w.manners.settled == 0);
    say_of_first(w, how, released);
    // RabbitMQ gives the link nothing more until its word is confirmed.
    const auto confirmed = how == raw_unsettled;
    CHECK(w.manners.settled == (confirmed ? 1 : 0));
    CHECK((w.manners.said.find(hex("41") + released) != std::string::npos)
          == confirmed);
    w.client.settle(w.owner.deliveries[0].first, bridge::outcome::accepted());
    w.run();
    CHECK(w.manners.settled == (confirmed ? 1 : 0));
    w.say(w.deliver(1));
    CHECK(w.owner.deliveries.size() == 2);
    CHECK(w.owner.downs.empty());
  }
}

TEST_CASE("client: of what it sent on a link that is gone it settles nothing",
          "[link][client][raw]") {
  raw_world w;
  for (auto text : {"a", "b"})
    send(*w.queue, text);
  w.connect();
  REQUIRE(w.manners.messages == 2);
  const auto to = w.link(true);
  w.say(raw_frame(performative(0x16, 2, to.handle + hex("41")), to.channel));
  // RabbitMQ ends the session of who says that it settled what it sent.
  CHECK(w.manners.settled == 0);
  w.now += 1s;
  w.client.flush(w.now);
  w.run();
  CHECK(w.manners.messages == 4);
  // What comes late is of no use: it is sent again.
  w.say(raw_frame(about_first(raw_settled, raw_accepted), to.channel));
  CHECK(w.owner.outcomes.empty());
  w.say(raw_frame(
      raw_disposition(hex("43"), hex("52 03"), raw_settled, raw_accepted),
      to.channel));
  CHECK(w.owner.outcomes == ends{{"a", kind::accepted}, {"b", kind::accepted}});
  CHECK(w.manners.settled == 0);
  CHECK(w.owner.downs.empty());
}

TEST_CASE("client: a session may end with what was sent on links that are gone",
          "[link][client][raw]") {
  raw_world w;
  send(*w.queue, "a");
  w.connect();
  const auto to = w.link(true);
  w.say(raw_frame(performative(0x16, 2, to.handle + hex("41")), to.channel));
  w.say(raw_frame(performative(0x17, 0, ""), to.channel));
  CHECK(w.owner.downs == std::vector<std::string>{"amqp:session-ended"});
  w.connect();
  CHECK(w.manners.messages == 1);
}
