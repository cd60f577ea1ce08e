// What serve_options change about the end of a delivery, and what a handler
// can ask for. Method: as in served_address_test.
#include "bridge/caf/served_address.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/parked.hpp"
#include "tests/support/serving_rig.hpp"

#include <caf/all.hpp>

#include <algorithm>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::errc;
using bridge::outcome;
using bridge::served_address;
using bridge::settle_when;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using clock_type = served_address::clock;
using rig = tests::serving_rig;

namespace {

// Handles nothing before the test says so.
struct held_target {
  explicit held_target(rig& r)
      : actor{r.world.spawn([p = promise](caf::event_based_actor* self) {
          return caf::behavior{[=](const PostTweetRequest&) {
            *p = self->make_response_promise();
            return *p;
          }};
        })} {}

  std::shared_ptr<caf::response_promise> promise =
      std::make_shared<caf::response_promise>();
  caf::actor actor;
};

caf::actor failing(rig& r, caf::error why) {
  return r.world.spawn([why]() -> caf::behavior {
    return {
        [why](const PostTweetRequest&) -> caf::result<void> { return why; }};
  });
}

bridge::v1::Error error_in(const bridge::envelope& x) {
  bridge::v1::Error result;
  REQUIRE(x.type == "rookery.bridge.v1.Error");
  REQUIRE(result.ParseFromString(x.body));
  return result;
}

std::string post_for(std::chrono::milliseconds ttl,
                     const std::string& reply_to = {}) {
  bridge::envelope head;
  head.message_id = "other.1-1";
  head.reply_to = reply_to;
  head.ttl = ttl;
  return bridge::encode(head, PostTweetRequest{});
}

} // namespace

TEST_CASE("settle in mailbox: accepted at once, its place kept until handled",
          "[actors][served_address]") {
  rig r;
  held_target target{r};
  auto& uut = r.serve(target.actor, {.settle = settle_when::in_mailbox});
  uut.deliver(1, rig::post(1), clock_type::now());
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].early);
  CHECK(settled[0].result == outcome::accepted());
  r.world.run();
  CHECK(r.settled().empty());
  target.promise->deliver(caf::unit);
  r.world.run();
  settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK_FALSE(settled[0].early);
}

TEST_CASE("settle in mailbox: what failed afterwards does not come again",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(failing(r, caf::make_error(errc::failed, "no")),
                      {.settle = settle_when::in_mailbox});
  bridge::envelope head;
  head.message_id = "0123456789abcdef.1-1"; // of another bridge
  const auto bytes = bridge::encode(head, PostTweetRequest{});
  uut.deliver(1, bytes, clock_type::now());
  r.world.run();
  CHECK(r.home->counters.snapshot().failed == 1);
  static_cast<void>(r.settled());
  uut.deliver(2, bytes, clock_type::now());
  CHECK(r.home->counters.snapshot().duplicates == 1);
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::accepted());
}

TEST_CASE("settle in mailbox: what waits for a target is not in a mailbox",
          "[actors][served_address]") {
  rig r;
  held_target target{r};
  bool ready = false;
  auto make = [&] { return ready ? target.actor : caf::actor{}; };
  auto& uut = r.serve(nullptr, {.settle = settle_when::in_mailbox}, make);
  uut.deliver(1, rig::post(1), clock_type::now());
  CHECK(r.settled().empty());
  ready = true;
  CHECK(uut.check(clock_type::now() + 10s));
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].early);
}

TEST_CASE("settle in mailbox: a copy that waited with it is settled too",
          "[actors][served_address]") {
  rig r;
  held_target target{r};
  bool ready = false;
  auto make = [&] { return ready ? target.actor : caf::actor{}; };
  auto& uut = r.serve(nullptr, {.settle = settle_when::in_mailbox}, make);
  bridge::envelope head;
  head.message_id = "0123456789abcdef.1-1";
  const auto bytes = bridge::encode(head, PostTweetRequest{});
  uut.deliver(1, bytes, clock_type::now());
  uut.deliver(2, bytes, clock_type::now());
  ready = true;
  CHECK(uut.check(clock_type::now() + 10s));
  auto settled = r.settled();
  REQUIRE(settled.size() == 2);
  CHECK(settled[0].delivery == 2);
  CHECK_FALSE(settled[0].early); // it has no handler to wait for
  CHECK(settled[1].early);
  r.world.run();
  target.promise->deliver(caf::unit);
  r.world.run();
  CHECK(r.settled().size() == 1);
}

TEST_CASE("settle in mailbox: who waits is told when nobody will answer",
          "[actors][served_address]") {
  rig r;
  held_target target{r};
  auto& uut = r.serve(target.actor, {.settle = settle_when::in_mailbox});
  uut.deliver(1, rig::post(1, "/queues/me"), clock_type::now());
  r.world.run();
  caf::anon_send_exit(target.actor, caf::exit_reason::kill);
  r.world.run();
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(error_in(replies[0]).code() == static_cast<unsigned>(errc::failed));
}

TEST_CASE("allow-list: a registered type that is not on it is parked",
          "[actors][served_address]") {
  rig r;
  held_target target{r};
  auto& uut =
      r.serve(target.actor, {.types = bridge::type_names<PostTweetReply>()});
  uut.deliver(1, rig::post(1, "/queues/me"), clock_type::now());
  r.world.run();
  CHECK_FALSE(target.promise->pending());
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::note_of(settled[0].result).condition == "amqp:not-implemented");
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(error_in(replies[0]).code()
        == static_cast<unsigned>(errc::unknown_type));
}

TEST_CASE("length: a body longer than an address takes is parked undecoded",
          "[actors][served_address]") {
  rig r;
  held_target target{r};
  auto& uut = r.serve(target.actor, {.message_bytes_max = 1'000});
  bridge::envelope head;
  head.reply_to = "/queues/me";
  PostTweetRequest body;
  body.set_text(std::string(1'000, 'x'));
  uut.deliver(1, bridge::encode(head, body), clock_type::now());
  r.world.run();
  CHECK_FALSE(target.promise->pending());
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::note_of(settled[0].result).condition
        == "amqp:link:message-size-exceeded");
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(error_in(replies[0]).code() == static_cast<unsigned>(errc::too_long));
  body.set_text(std::string(900, 'x'));
  uut.deliver(2, bridge::encode(head, body), clock_type::now());
  r.world.run();
  CHECK(target.promise->pending());
}

TEST_CASE("is_poison: an error that says never parks what nobody waits for",
          "[actors][served_address]") {
  rig r;
  const auto never = caf::make_error(caf::sec::invalid_argument, "a reason");
  auto& uut = r.serve(failing(r, never), {.is_poison = [](const auto& x) {
                        return x == caf::sec::invalid_argument;
                      }});
  uut.deliver(1, rig::post(1), clock_type::now());
  uut.deliver(2, rig::post(2, "/queues/me"), clock_type::now());
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 2);
  const auto note = tests::note_of(settled[0].result);
  CHECK(note.condition == "rookery:poison");
  CHECK(note.reason.find("a reason") != std::string::npos);
  CHECK(settled[1].result == outcome::accepted()); // it is an answer
  CHECK(r.reports->names == std::vector<std::string>{"delivery-refused"});
  CHECK(r.replies().size() == 1);
}

TEST_CASE("reply-to: a request that cannot be answered at a queue is parked",
          "[actors][served_address]") {
  // What goes to these ends the broker's link, or the session, for all answers.
  const auto* const where =
      GENERATE("me", "/queues/", "/queues/a b%zz", "/exchanges/amq.fanout",
               "/exchanges/amq.rabbitmq.trace/x");
  rig r;
  held_target target{r};
  auto& uut = r.serve(target.actor);
  uut.deliver(1, rig::post(1, where), clock_type::now());
  r.world.run();
  CHECK_FALSE(target.promise->pending());
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::note_of(settled[0].result).condition == "amqp:invalid-field");
  CHECK(r.replies().empty());
}

TEST_CASE("time to live: over while there is no target, parked with a reason",
          "[actors][served_address]") {
  rig r;
  held_target target{r};
  bool ready = false;
  auto make = [&] { return ready ? target.actor : caf::actor{}; };
  auto& uut = r.serve(nullptr, {}, make);
  const auto now = clock_type::now();
  uut.deliver(1, post_for(5s, "/queues/me"), now);
  CHECK(uut.check(now + 4s));
  CHECK(r.settled().empty());
  CHECK(uut.check(now + 5s));
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::note_of(settled[0].result).condition == "rookery:expired");
  CHECK(r.home->counters.snapshot().deliveries_expired == 1);
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(error_in(replies[0]).code() == static_cast<unsigned>(errc::expired));
  ready = true;
  CHECK(uut.check(now + 20s)); // the target is there now
  r.world.run();
  CHECK_FALSE(target.promise->pending());
}

TEST_CASE("time to live: what waited for room waited, too",
          "[actors][served_address]") {
  rig r;
  held_target target{r};
  auto& uut = r.serve(target.actor);
  const auto now = clock_type::now();
  uut.deliver(1, post_for(5s), now, {.waited = 4s});
  CHECK(r.settled().empty());
  r.world.run();
  CHECK(target.promise->pending());
  *target.promise = {};
  uut.deliver(2, post_for(5s), now, {.waited = 5s});
  CHECK(uut.check(now));
  r.world.run();
  CHECK_FALSE(target.promise->pending());
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].delivery == 2);
  CHECK(tests::note_of(settled[0].result).condition == "rookery:expired");
}

TEST_CASE("by hand: a handler has it parked, or gives it back",
          "[actors][served_address]") {
  rig r;
  auto& rejecting = r.serve(failing(r, caf::make_error(errc::poison, "bad")));
  rejecting.deliver(1, rig::post(1), clock_type::now());
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::note_of(settled[0].result)
        == amqp::park_note{"rookery:poison", "bad", 1, "q"});
  CHECK(settled[0].result.failed);
  rejecting.release();
  auto& releasing = r.serve(failing(r, caf::make_error(errc::released)));
  releasing.deliver(1, rig::post(1), clock_type::now());
  r.world.run();
  settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::released());
  CHECK(r.home->counters.snapshot().refused == 2);
  CHECK(std::count(r.reports->names.begin(), r.reports->names.end(),
                   "delivery-refused")
        == 1);
}

TEST_CASE("by hand: to who waits, the same errors are an answer",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(failing(r, caf::make_error(errc::poison, "bad")));
  uut.deliver(1, rig::post(1, "/queues/me"), clock_type::now());
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::accepted());
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(error_in(replies[0]).code() == static_cast<unsigned>(errc::poison));
}

TEST_CASE("timeouts: the longest are no short ones",
          "[actors][served_address]") {
  constexpr auto never = std::chrono::milliseconds::max();
  rig r;
  const auto ends = GENERATE(false, true);
  auto& uut = r.serve(
      r.world.spawn([=](caf::event_based_actor* self) {
        return caf::behavior{
            [=](const PostTweetRequest&) -> caf::result<PostTweetReply> {
              if (ends)
                return caf::make_error(errc::failed, "it does");
              return self->make_response_promise();
            }};
      }),
      {.handler_timeout = never,
       .retry = {
           .immediate = 0,
           .delay = {.delay_min = never, .first = never, .delay_max = never}}});
  const auto now = clock_type::now();
  uut.deliver(1, rig::post(1), now);
  r.world.run();
  CHECK(uut.check(now + 24h));
  CHECK(r.settled().empty());
}
