// Goal: a client that asks for too much, or reads nothing, loses its own
// connection, for a reason that is told; the broker keeps little for it, and
// serves others. Method: the whole broker in one thread, the client written
// down frame by frame, and another one beside it that keeps to the rules.
#include "tests/link/raw_client.hpp"

#include "tests/support/catch.hpp"

#include <functional>
#include <malloc.h>
#include <string>
#include <vector>

using namespace rookery;
using namespace rookery::tests;
using namespace std::chrono_literals;

namespace {

/// A broker and a client of it that does nothing wrong.
struct raw_world {
  raw_world() {
    all.declare("own");
    all.declare("q");
    all.pump();
  }
  /// A message crosses between well-behaved clients.
  bool works() {
    const auto before = from.deliveries.size();
    to.send_text("x");
    all.pump();
    return !good.closed && from.deliveries.size() == before + 1;
  }

  broker_harness all;
  test_client& good = all.connect();
  client_link& to = good.sender("/queues/own");
  client_link& from = good.receiver("/queues/own", 100);
};

std::string end(std::uint16_t channel = 0) {
  return raw_frame(performative(0x17, 0, ""), channel);
}
std::string times(int n, const std::string& x) {
  std::string result;
  for (int i = 0; i < n; ++i)
    result += x;
  return result;
}

/// A consumer of "q" with credit for two.
std::string consumer() {
  return raw_frame(performative(
             0x12, 7,
             hex("a1 01 'c' 43 41 40 40 00 53 28 c0 0c 01 a1 09 '/queues/q'"
                 "00 53 29 c0 04 01 a1 01 't'")))
         + raw_frame(performative(
             0x13, 7, hex("43 70 00 00 ff ff 43 52 64 43 43 52 02")));
}

/// What a consumer says of two deliveries, numbers 0 and 1, and how many of
/// the messages are left when it is gone.
struct remark {
  std::string what;
  std::string said;
  std::size_t left;
  std::string reason = {}; // why the connection is over, if it is
};

std::vector<remark> remarks() {
  const auto none = hex("40");
  const auto zero = hex("43");
  const auto one = hex("52 01");
  const auto all = hex("70 7f ff ff ff");
  const auto say = [](const auto&... x) {
    return raw_frame(raw_disposition(x...));
  };
  return {
      {"nothing", "", 2},
      {"accepted", say(zero, none, raw_settled, raw_accepted), 1},
      {"rejected", say(zero, none, raw_settled, raw_rejected), 1},
      {"released", say(zero, none, raw_settled, hex("00 53 26 45")), 2},
      {"modified", say(zero, none, raw_settled, hex("00 53 27 45")), 2},
      {"received, which is no outcome",
       say(zero, none, raw_unsettled, hex("00 53 23 c0 03 02 43 44")), 2},
      {"settled without an outcome", say(zero, none, raw_settled, none), 2},
      {"an outcome that is not settled",
       say(zero, none, raw_unsettled, raw_accepted), 1},
      {"an outcome twice",
       say(zero, none, raw_settled, raw_accepted)
           + say(zero, none, raw_settled, raw_accepted),
       1},
      {"two outcomes in one breath: the last",
       say(zero, none, raw_settled, raw_accepted)
           + say(zero, none, raw_settled, hex("00 53 26 45")),
       2},
      {"a number that nothing came under",
       say(hex("52 63"), none, raw_settled, raw_accepted), 2},
      {"of deliveries, as if it had sent them",
       say(zero, none, raw_settled, raw_accepted, hex("42")), 2},
      {"all numbers there are", say(zero, all, raw_settled, raw_accepted), 0},
      {"numbers from last to first", say(one, zero, raw_settled, raw_accepted),
       2, "amqp:not allowed"},
  };
}

const texts no_session = {
    "amqp:resource-limit-exceeded: a session more than there may be, with "
    "those whose end has not been answered"};

} // namespace

TEST_CASE("broker: a message ends once, whatever its consumer says of it",
          "[broker][raw]") {
  for (const auto& each : remarks()) {
    INFO(each.what);
    raw_world w;
    w.all.put("q", {"a", "b"});
    raw_client client{w.all};
    client.far.say(raw_begin() + consumer());
    REQUIRE(w.all.counts("q").unsettled == 2);
    client.far.say(each.said);
    CHECK(client.far.over() == !each.reason.empty());
    CHECK(w.works());
    client.far.disconnect();
    CHECK(w.all.counts("q").ready == each.left);
    CHECK(w.all.counts("q").unsettled == 0);
    REQUIRE(w.all.sink.closed.size() == 1);
    CHECK(w.all.sink.closed.front().starts_with(each.reason));
  }
}

TEST_CASE("broker: who detaches in order has failed on nothing, though its "
          "session ends in the same breath",
          "[broker][raw]") {
  const auto detach = [](bool closes) {
    return raw_frame(
        performative(0x16, 2, hex("43") + hex(closes ? "41" : "42")));
  };
  for (const auto& [how, failures] :
       std::vector<std::pair<std::string, unsigned>>{
           {"", 1}, {detach(true), 0}, {detach(false), 0}}) {
    INFO(failures << " failures");
    raw_world w;
    w.all.put("q", {"a"});
    raw_client client{w.all};
    client.far.say(raw_begin() + consumer());
    REQUIRE(w.all.counts("q").unsettled == 1);
    client.far.say(how + end());
    auto& next = w.good.receiver("/queues/q", 1);
    w.all.pump();
    REQUIRE(next.deliveries.size() == 1);
    CHECK(next.deliveries[0].message().delivery_count == failures);
  }
}

TEST_CASE("broker: who never opened its connection is not waited for",
          "[broker][raw]") {
  for (const auto& said : texts{"", amqp_header, sasl_header}) {
    INFO(said.size() << " bytes said");
    raw_world w;
    raw_client client{w.all, {}, "", "", said};
    client.handler.close({"amqp:connection:forced", "the broker stops"});
    client.far.run();
    CHECK(client.far.over());
    CHECK(w.works());
  }
}

TEST_CASE("broker: who goes on speaking of all deliveries is cut off",
          "[broker][raw]") {
  raw_world w;
  w.all.put("q", texts(1'000, "a"));
  raw_client client{w.all};
  client.far.say(
      raw_begin() + consumer()
      + raw_frame(performative(
          0x13, 7, hex("43 70 00 00 ff ff 43 52 64 43 43 70 00 00 03 e8"))));
  REQUIRE(w.all.counts("q").unsettled == 1'000);
  const auto all = hex("70 7f ff ff ff");
  const auto nothing =
      raw_frame(raw_disposition(hex("43"), all, raw_unsettled, hex("40")));
  client.far.say(nothing);
  CHECK_FALSE(client.far.over());
  client.far.say(times(400, nothing));
  CHECK(client.far.over());
  CHECK(w.all.sink.closed
        == texts{"amqp:resource-limit-exceeded: dispositions speak of the same "
                 "deliveries again"});
  CHECK(w.works());
}

TEST_CASE("broker: who wants to hear something all the time is refused",
          "[broker][raw]") {
  for (const auto& [wish, granted] : std::vector<std::pair<std::string, bool>>{
           {"52 01", false}, {"52 63", false}, {"52 64", true}}) {
    INFO("idle-time-out " << wish);
    raw_world w;
    const auto open =
        raw_frame(performative(0x10, 5, hex("a1 01 'p' 40 40 40 " + wish)));
    raw_client client{w.all, {}, raw_begin(), open};
    CHECK(client.far.over() != granted);
    CHECK(w.works());
  }
}

TEST_CASE("broker: who takes back a drain in time keeps its credit",
          "[broker][raw]") {
  broker::broker_options options;
  options.output_bytes_max = 1; // who has not read one is told nothing
  broker_harness all{options};
  all.declare("q");
  all.put("q", {"a"});
  raw_client client{all};
  const auto one_left = [](const std::string& drain) {
    return raw_frame(performative(
        0x13, 9,
        hex("52 01 70 00 00 ff ff 43 52 64 43 52 01 52 01 40") + drain));
  };
  client.far.read(false);
  client.far.say(raw_begin() + consumer());
  REQUIRE(all.counts("q").unsettled == 1);
  client.far.say(one_left(hex("41")));
  client.far.say(one_left(hex("42")));
  client.far.read(true);
  client.far.say(raw_frame(
      raw_disposition(hex("43"), hex("40"), raw_settled, raw_accepted)));
  CHECK(all.counts("q").accepted == 1);
  all.put("q", {"b"});
  CHECK(all.counts("q").ready == 0);
}

TEST_CASE("broker: links to management may come and go for ever",
          "[broker][raw]") {
  raw_world w;
  raw_client client{w.all};
  client.far.say(raw_begin());
  const auto detach = [](const std::string& handle) {
    return raw_frame(performative(0x16, 2, handle + hex("41")));
  };
  for (int i = 0; i < 1'000; ++i) {
    const auto name = std::to_string(i);
    client.far.say(raw_management(true, name) + raw_management(false, name));
    REQUIRE(client.handler.session->pairs.size() == 1);
    client.far.say(detach(hex("43")));
    REQUIRE(client.handler.session->pairs.size() == 1);
    client.far.say(detach(hex("52 01")));
    REQUIRE(client.handler.session->pairs.empty());
  }
  CHECK(w.works());
}

TEST_CASE("broker: sessions may be begun and ended for ever", "[broker][raw]") {
  raw_world w;
  raw_client client{w.all};
  for (int i = 0; i < 1'000; ++i)
    CHECK(client.far.say(raw_begin() + end()));
  for (std::uint16_t i = 0; i < 64; ++i)
    CHECK(client.far.say(raw_begin(i)));
  for (int i = 0; i < 1'000; ++i) {
    CHECK(client.far.say(end()));
    CHECK(client.far.say(raw_begin()));
  }
  CHECK(w.works());
}

TEST_CASE("broker: a session counts until its end was answered",
          "[broker][raw]") {
  raw_world w;
  raw_client client{w.all};
  SECTION("of all there may be, one") {
    for (std::uint16_t i = 0; i < 64; ++i)
      client.far.say(raw_begin(i));
    client.far.say(end() + raw_begin());
  }
  SECTION("one after the other, at once") {
    client.far.say(times(65, raw_begin() + end()));
  }
  SECTION("in several goes, while nothing is read") {
    client.far.read(false);
    client.far.say(raw_begin());
    client.far.say(end());
    client.far.say(times(60, raw_begin() + end()));
    client.far.say(times(60, raw_begin() + end()));
    client.far.read(true);
  }
  CHECK(client.far.over());
  CHECK(w.all.sink.closed == no_session);
  CHECK(w.works());
}

TEST_CASE("broker: of a client that reads nothing it takes only so much",
          "[broker][raw]") {
  raw_world w;
  raw_client client{w.all};
  client.far.say(raw_begin());
  std::function<std::string(std::size_t)> make;
  SECTION("links, attached and detached") {
    make = [](std::size_t) {
      return raw_attach() + raw_frame(performative(0x16, 2, hex("43 41")));
    };
  }
  SECTION("messages") {
    client.far.say(raw_attach());
    make = [](std::size_t i) {
      return raw_transfer{.delivery_id = hex("70") + big_endian(i)}.frame();
    };
  }
  std::size_t sent = 0;
  std::size_t bytes = 0;
  const auto send = [&](std::size_t count) {
    for (const auto last = sent + count; sent < last; ++sent) {
      const auto each = make(sent);
      if (!client.far.say(each))
        return false;
      bytes += each.size();
    }
    return true;
  };
  REQUIRE(send(10'000)); // it reads
  client.far.read(false);
  bytes = 0;
  CHECK_FALSE(send(100'000));
  CHECK(bytes < unread_bytes_max + 16 * 1024); // and what was being read
  CHECK_FALSE(client.far.over());
  CHECK(w.works());
  client.far.pass(6s);
  CHECK_FALSE(client.far.over());
  client.far.pass(6s);
  CHECK(client.far.over());
  CHECK(w.all.sink.closed
        == texts{"amqp:resource-limit-exceeded: local-idle-timeout expired"});
  CHECK(w.works());
}

TEST_CASE("broker: who goes on attaching to an ended session is cut off",
          "[broker][raw]") {
  raw_world w;
  raw_client client{w.all};
  client.far.say(raw_begin());
  // Its session ends for too many links, or because there is no such queue.
  const bool detaches = GENERATE(false, true);
  INFO("detaches: " << detaches);
  const auto attach = [&](std::size_t i) {
    const auto name = hex("a1 04") + std::to_string(1'000 + i);
    return raw_frame(
        performative(0x12, 7,
                     name + hex("70") + big_endian(i)
                         + hex("42 40 40 00 53 28 c0 04 01 a1 01 's'"
                               "00 53 29 c0 0c 01 a1 09")
                         + (detaches ? "/queues/x" : "/queues/q")));
  };
  constexpr std::size_t links_max = 256;
  const auto detach = [&](std::size_t i) {
    return raw_frame(
        performative(0x16, 2, hex("70") + big_endian(i) + hex("41")));
  };
  for (std::size_t i = 0; i < 2 * links_max; ++i)
    client.far.say(attach(i) + (detaches ? detach(i) : ""));
  CHECK(w.all.sink.refused_attaches.size() == 1);
  CHECK_FALSE(client.far.over());
  client.far.say(attach(2 * links_max));
  CHECK(client.far.over());
  CHECK(w.all.sink.closed
        == texts{"amqp:not-allowed: attaches on a session that was ended"});
  CHECK(w.works());
}

TEST_CASE("broker: links that come behind its CLOSE are not kept",
          "[broker][raw]") {
  raw_world w;
  raw_client client{
      w.all, {"amqp:resource-limit-exceeded", "full"}, raw_begin()};
  const auto one =
      raw_attach() + raw_frame(performative(0x16, 2, hex("43 41")));
  const auto before = mallinfo2().uordblks;
  for (int i = 0; i < 10'000; ++i)
    client.far.say(one);
  CHECK(mallinfo2().uordblks < before + 1'000'000); // 2 kB each
  CHECK(w.works());
}

TEST_CASE("broker: a client that is turned away gets nothing, however fast it "
          "speaks",
          "[broker][raw]") {
  raw_world w;
  const amqp::condition full{"amqp:resource-limit-exceeded", "full"};
  raw_client client{w.all, full,
                    raw_begin() + raw_attach() + raw_transfer{}.frame()};
  CHECK(w.all.counts("q").ready == 0);
  // It does not take no for an answer.
  client.far.say(raw_transfer{.delivery_id = hex("52 01")}.frame()
                 + raw_attach(1) + raw_begin(1) + raw_attach(0, 1));
  CHECK(w.all.counts("q").ready == 0);
  CHECK(client.far.heard().find(hex("00 53 12")) == std::string::npos);
  CHECK(w.works());
}

TEST_CASE("broker: who opens while it stops is told so", "[broker][raw]") {
  raw_world w;
  raw_client client{w.all, {}, {}, ""};
  client.handler.close({"amqp:connection:forced", "the broker stops"});
  client.far.say(raw_open());
  CHECK(client.far.heard().find(hex("00 53 18")) != std::string::npos);
  client.far.say(raw_frame(performative(0x18, 0, "")));
  CHECK(client.far.over());
}

TEST_CASE("broker: what comes behind its END is not called unroutable",
          "[broker][raw]") {
  raw_world w;
  raw_client client{w.all, {}, raw_begin() + raw_attach()};
  auto refused = raw_attach(1, 0, "/queues/none");
  refused[refused.find(hex("a1 01 'l'")) + 2] = 'k'; // another link's name
  client.far.say(refused + raw_transfer{}.frame());
  const auto heard = client.far.heard();
  CHECK(heard.find(hex("00 53 17")) != std::string::npos);
  CHECK(heard.find(hex("00 53 26")) == std::string::npos);
  CHECK(w.all.counts("q").ready == 0);
}

TEST_CASE("broker: of who goes on sending on an ended session little is kept",
          "[broker][raw]") {
  raw_world w;
  raw_client client{w.all, {}, raw_begin() + raw_attach()};
  auto refused = raw_attach(1, 0, "/queues/none");
  refused[refused.find(hex("a1 01 'l'")) + 2] = 'k';
  client.far.say(refused);
  raw_transfer large;
  large.payload =
      hex("00 53 75 b0") + big_endian(60'000) + std::string(60'000, 'x');
  const auto before = mallinfo2().uordblks;
  for (std::size_t i = 1; i <= 1'000; ++i) {
    large.delivery_id = hex("70") + big_endian(i);
    client.far.say(large.frame());
  }
  const auto kept = 2 * w.all.shared.options.message_bytes_max;
  CHECK(mallinfo2().uordblks < before + kept); // of 60 MB
  CHECK(w.works());
}
