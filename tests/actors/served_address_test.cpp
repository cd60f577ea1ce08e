// What becomes of a delivery: it enters its target as a request and ends by
// the response. Method: encoded messages in, settlements and replies out, the
// target on a deterministic scheduler.
#include "bridge/caf/served_address.hpp"

#include "bridge/caf/plain_text.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/parked.hpp"
#include "tests/support/serving_rig.hpp"

#include <caf/all.hpp>
#include <proton/binary.hpp>
#include <proton/message.hpp>

#include <vector>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::outcome;
using bridge::served_address;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;
using kind = outcome::kind_type;

namespace {

using clock = served_address::clock;

using rig = tests::serving_rig;

bridge::v1::Error error_in(const bridge::envelope& x) {
  bridge::v1::Error result;
  REQUIRE(x.type == "rookery.bridge.v1.Error");
  REQUIRE(result.ParseFromString(x.body));
  return result;
}

caf::behavior answers() {
  return {[](const PostTweetRequest& x) {
    PostTweetReply result;
    result.set_tweet_id(x.author() + 1);
    return result;
  }};
}

} // namespace

TEST_CASE("served address: a delivery's number is no measure of its table",
          "[actors][served_address]") {
  // The client numbers those of all addresses, of which there may be many.
  constexpr std::uint64_t number = (3ULL << 32) | 0xffff'0000U;
  rig r;
  auto& uut = r.serve(r.world.spawn(answers));
  uut.deliver(number, rig::post(41), clock::now());
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].delivery == number);
  CHECK(settled[0].result.kind == kind::accepted);
}

TEST_CASE("served address: settles after the handler, not before",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(r.world.spawn(answers));
  uut.deliver(1, rig::post(41), clock::now());
  CHECK(r.settled().empty()); // the target has not run yet
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].delivery == 1);
  CHECK(settled[0].result.kind == kind::accepted);
}

TEST_CASE("served address: the answer goes to reply-to with its correlation",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(r.world.spawn(answers));
  uut.deliver(1, rig::post(41, "/queues/me"), clock::now());
  r.world.run();
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].to == "/queues/me");
  CHECK(replies[0].correlation_id == "other.1-1");
  PostTweetReply body;
  REQUIRE(body.ParseFromString(replies[0].body));
  CHECK(body.tweet_id() == 42);
}

TEST_CASE("served address: a request may be known by its correlation-id",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(r.world.spawn(answers));
  bridge::envelope head;
  head.correlation_id = "7";
  head.correlation_id_kind = bridge::id_kind::ulong;
  head.reply_to = "/queues/me";
  uut.deliver(1, bridge::encode(head, PostTweetRequest{}), clock::now());
  uut.deliver(2, bridge::encode(head, service::v1::Tweet{}), clock::now());
  r.world.run();
  auto replies = r.replies();
  REQUIRE(replies.size() == 2);
  for (auto& x : replies) {
    CHECK(x.correlation_id == "7");
    CHECK(x.correlation_id_kind == bridge::id_kind::ulong);
  }
}

TEST_CASE("served address: takes no body that was compressed",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(r.world.spawn(answers));
  for (auto* coding : {"identity", "gzip"}) {
    proton::message x;
    x.subject("rookery.service.v1.PostTweetRequest");
    x.content_encoding(coding);
    x.body(proton::binary{});
    std::vector<char> bytes;
    x.encode(bytes);
    uut.deliver(1, {bytes.data(), bytes.size()}, clock::now());
    r.world.run();
    auto settled = r.settled();
    REQUIRE(settled.size() == 1);
    CHECK((settled[0].result.kind == kind::accepted)
          == (coding == std::string{"identity"}));
  }
}

TEST_CASE("served address: a void answer is a Done",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(r.world.spawn(
      []() -> caf::behavior { return {[](const PostTweetRequest&) {}}; }));
  uut.deliver(1, rig::post(1, "/queues/me"), clock::now());
  r.world.run();
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].type == "rookery.bridge.v1.Done");
}

TEST_CASE("served address: a promise holds the delivery until it is kept",
          "[actors][served_address]") {
  rig r;
  auto promise = std::make_shared<caf::response_promise>();
  auto& uut = r.serve(r.world.spawn([=](caf::event_based_actor* self) {
    return caf::behavior{[=](const PostTweetRequest&) {
      *promise = self->make_response_promise();
      return *promise;
    }};
  }));
  uut.deliver(1, rig::post(1), clock::now());
  r.world.run();
  CHECK(r.settled().empty());
  promise->deliver(caf::unit);
  r.world.run();
  CHECK(r.settled().size() == 1);
}

TEST_CASE("served address: an error somebody waits for is an answer",
          "[actors][served_address]") {
  rig r;
  bridge::serve_options options;
  options.retry.attempts_max = 1;
  auto& uut = r.serve(r.world.spawn([]() -> caf::behavior {
    return {[](const PostTweetRequest&) -> caf::result<PostTweetReply> {
      return caf::make_error(bridge::errc::failed, "because");
    }};
  }),
                      options);
  uut.deliver(1, rig::post(1, "/queues/me"), clock::now());
  uut.deliver(2, rig::post(1), clock::now());
  r.world.run();
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(error_in(replies[0]).category() == "bridge");
  CHECK(error_in(replies[0]).message() == "because");
  auto settled = r.settled();
  REQUIRE(settled.size() == 2);
  CHECK(settled[0].result.kind == kind::accepted);
  // Nobody waits for the second: a failed attempt.
  CHECK(tests::note_of(settled[1].result).condition == "amqp:internal-error");
}

TEST_CASE("served address: what it cannot read is parked with the reason",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(r.world.spawn(answers));
  uut.deliver(1, "garbage", clock::now());
  bridge::envelope head;
  head.message_id = "other.1-1";
  head.reply_to = "/queues/me";
  uut.deliver(2, bridge::encode(head, service::v1::Tweet{}), clock::now());
  auto settled = r.settled();
  REQUIRE(settled.size() == 2);
  CHECK(tests::note_of(settled[0].result).condition == "amqp:decode-error");
  const auto note = tests::note_of(settled[1].result);
  CHECK(note.condition == "amqp:not-implemented");
  CHECK(note.attempts == 0);
  CHECK(note.queue == "q");
  CHECK_FALSE(settled[1].result.failed); // no handler had it
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(error_in(replies[0]).message()
        == "messages of type \"rookery.service.v1.Tweet\" are not taken here");
}

TEST_CASE("served address: a type that the target does not take is parked",
          "[actors][served_address]") {
  rig r;
  auto target = r.world.system().spawn(
      []() -> caf::behavior { return {[](const PostTweetReply&) {}}; });
  caf::scoped_actor keep{r.world.system()}; // the target stays until the end
  caf::actor_cast<caf::scheduled_actor*>(target)->set_default_handler(
      caf::drop);
  auto& uut = r.serve(target);
  uut.deliver(1, rig::post(1, "/queues/me"), clock::now());
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::is_parked(settled[0].result));
  auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(error_in(replies[0]).code()
        == static_cast<unsigned>(bridge::errc::unknown_type));
}

TEST_CASE("served address: a handler that takes too long failed",
          "[actors][served_address]") {
  rig r;
  auto promise = std::make_shared<caf::response_promise>();
  bridge::serve_options options;
  options.handler_timeout = 5s;
  auto& uut = r.serve(r.world.spawn([=](caf::event_based_actor* self) {
    return caf::behavior{[=](const PostTweetRequest&) {
      *promise = self->make_response_promise();
      return *promise;
    }};
  }),
                      options);
  auto now = clock::now();
  uut.deliver(1, rig::post(1), now);
  r.world.run();
  CHECK(uut.check(now + 4s));
  CHECK(r.settled().empty());
  CHECK(uut.check(now + 5s));
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::failure());
  promise->deliver(caf::unit); // too late
  r.world.run();
  CHECK(r.settled().empty());
}

TEST_CASE("served address: a target that ends gives back what it holds",
          "[actors][served_address]") {
  rig r;
  auto target = r.world.spawn([](caf::event_based_actor* self) {
    return caf::behavior{[=](const PostTweetRequest&) {
      auto never = self->make_response_promise();
      self->quit();
      return never;
    }};
  });
  auto& uut = r.serve(target);
  uut.deliver(1, rig::post(1), clock::now());
  uut.deliver(2, rig::post(2), clock::now());
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 2);
  for (const auto& x : settled)
    CHECK(x.result == outcome::failure());
  CHECK_FALSE(uut.check(clock::now())); // nobody makes another
}

TEST_CASE("served address: a factory's target is made again after a while",
          "[actors][served_address]") {
  rig r;
  int made = 0;
  auto make = [&] {
    ++made;
    return caf::actor_cast<caf::actor>(
        r.world.spawn([](caf::event_based_actor* self) {
          return caf::behavior{[=](const PostTweetRequest& x) {
            if (x.author() == 0)
              self->quit();
            return PostTweetReply{};
          }};
        }));
  };
  auto& uut = r.serve(nullptr, {}, make);
  uut.deliver(1, rig::post(0), clock::now());
  r.world.run();
  REQUIRE(made == 1);
  static_cast<void>(r.settled());
  // Comes while there is no target: it waits for the next one.
  uut.deliver(2, rig::post(7), clock::now());
  r.world.run();
  CHECK(r.settled().empty());
  CHECK(uut.check(clock::now() + 20s));
  CHECK(made == 2);
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result.kind == kind::accepted);
}

TEST_CASE("served address: a target that had handled something is made again "
          "soon",
          "[actors][served_address]") {
  rig r;
  int made = 0;
  auto make = [&] {
    ++made;
    return caf::actor_cast<caf::actor>(
        r.world.spawn([](caf::event_based_actor* self) {
          return caf::behavior{
              [=](const PostTweetRequest& x) -> caf::result<PostTweetReply> {
                if (x.author() != 0)
                  return PostTweetReply{};
                self->quit(caf::sec::runtime_error);
                return self->make_response_promise();
              }};
        }));
  };
  auto& uut = r.serve(nullptr, {.retry = {.attempts_max = 1}}, make);
  std::uint64_t delivery = 0;
  for (int i = 1; i <= 20; ++i) {
    REQUIRE(made == i);
    uut.deliver(++delivery, rig::post(1), clock::now());
    uut.deliver(++delivery, rig::post(0), clock::now());
    r.world.run();
    CHECK(uut.check(clock::now() + 201ms));
  }
}

TEST_CASE("served address: what comes when the target is gone is given back",
          "[actors][served_address]") {
  rig r;
  auto target = r.world.spawn([](caf::event_based_actor* self) {
    return caf::behavior{[=](const PostTweetRequest&) { self->quit(); }};
  });
  auto& uut = r.serve(target);
  uut.deliver(1, rig::post(1), clock::now());
  r.world.run();
  static_cast<void>(r.settled());
  uut.deliver(2, rig::post(2), clock::now());
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::untouched());
}

TEST_CASE("served address: a target that was dead before is down at once",
          "[actors][served_address]") {
  rig r;
  auto target = r.world.spawn(answers);
  caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
  r.world.run();
  auto& uut = r.serve(target);
  uut.deliver(1, rig::post(1), clock::now());
  CHECK(r.settled().size() == 1);
  CHECK_FALSE(uut.check(clock::now()));
}

TEST_CASE("served address: a factory that fails is tried again",
          "[actors][served_address]") {
  rig r;
  int calls = 0;
  auto make = [&]() -> caf::actor {
    if (++calls == 1)
      throw std::runtime_error{"not yet"};
    if (calls == 2)
      return nullptr;
    return caf::actor_cast<caf::actor>(r.world.spawn(answers));
  };
  auto& uut = r.serve(nullptr, {}, make);
  uut.deliver(1, rig::post(1), clock::now());
  CHECK(uut.check(clock::now() + 20s));
  CHECK(uut.check(clock::now() + 40s));
  CHECK(calls == 3);
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result.kind == kind::accepted);
}

TEST_CASE("served address: what waited too long is not handed over any more",
          "[actors][served_address]") {
  rig r;
  int calls = 0;
  auto seen = r.world.spawn_recorder<PostTweetRequest>();
  auto make = [&]() -> caf::actor {
    return ++calls == 1 ? caf::actor{} : seen.handle();
  };
  bridge::serve_options options;
  options.handler_timeout = 5s;
  auto& uut = r.serve(nullptr, options, make);
  auto now = clock::now();
  uut.deliver(1, rig::post(1), now);
  uut.deliver(2, rig::post(2), now + 19s);
  CHECK(uut.check(now + 20s));
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 2);
  CHECK(settled[0].delivery == 1);
  CHECK(settled[0].result == outcome::failure());
  CHECK(settled[1].delivery == 2);
  CHECK(settled[1].result.kind == kind::accepted);
  CHECK(seen.seen<PostTweetRequest>().size() == 1);
}

TEST_CASE("served address: a reason that a handler gives is cut off",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(r.world.spawn([]() -> caf::behavior {
    return {[](const PostTweetRequest&) -> caf::result<PostTweetReply> {
      return caf::make_error(bridge::errc::poison, std::string(100'000, 'x'));
    }};
  }));
  uut.deliver(1, rig::post(1), clock::now());
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::note_of(settled[0].result).reason == std::string(1'024, 'x'));
}

TEST_CASE("served address: a reason is short and printable, whatever came",
          "[actors][served_address]") {
  rig r;
  auto& uut = r.serve(r.world.spawn(answers));
  // An encoded subject as a stranger may write it: long, and not UTF-8.
  bridge::envelope head;
  auto bytes = bridge::encode(head, PostTweetRequest{});
  auto name = std::string{"rookery.service.v1.PostTweetRequest"};
  bytes.replace(bytes.find(name), name.size(),
                std::string(name.size(), '\xff'));
  uut.deliver(1, bytes, clock::now());
  auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(tests::is_parked(settled[0].result));
  const auto reason = tests::note_of(settled[0].result).reason;
  CHECK_FALSE(reason.empty());
  CHECK(reason.find('\xff') == std::string::npos);
  CHECK(bridge::plain_text(std::string(1000, 'x')).size() == 256);
  CHECK(bridge::plain_text("gr\xc3\xbc\xc3\x9f\n\xc3")
        == "gr\xc3\xbc\xc3\x9f ?");
  CHECK(bridge::plain_text("\xc3\xbc\xc3\xbc", 3) == "\xc3\xbc");
}

TEST_CASE("served address: an answer that is no error is none",
          "[actors][served_address]") {
  rig r;
  const auto how = GENERATE(0, 1, 2);
  auto& uut = r.serve(r.world.spawn([=](caf::event_based_actor* self) {
    self->set_exception_handler(
        [](std::exception_ptr&) { return caf::error{}; });
    return caf::behavior{
        [=](const PostTweetRequest&) -> caf::result<PostTweetReply> {
          if (how == 0)
            return caf::error{};
          if (how == 1)
            throw std::runtime_error{"it takes that for an end"};
          auto promise = self->make_response_promise();
          promise.deliver(caf::error{});
          return promise;
        }};
  }));
  uut.deliver(1, rig::post(1, "/queues/me"), clock::now());
  r.world.run();
  const auto settled = r.settled();
  REQUIRE(settled.size() == 1);
  CHECK(settled[0].result == outcome::accepted());
  const auto replies = r.replies();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].type == "rookery.bridge.v1.Done");
}
