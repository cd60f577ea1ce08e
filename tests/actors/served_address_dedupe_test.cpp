// What becomes of a second delivery of the same message. Method: encoded
// messages with the ids a node gives, settlements and replies looked at, the
// target on a deterministic scheduler.
#include "tests/support/catch.hpp"
#include "tests/support/parked.hpp"
#include "tests/support/serving_rig.hpp"

#include <caf/all.hpp>

#include <map>

using namespace rookery;
using namespace std::chrono_literals;
using bridge::outcome;
using service::v1::PostTweetReply;
using service::v1::PostTweetRequest;

namespace {

using clock = bridge::served_address::clock;

/// A target whose answers are given when the test says so.
struct rig : tests::serving_rig {
  explicit rig(bridge::serve_options options = {}) {
    uut = &serve(world.spawn([this](caf::event_based_actor* self) {
      return caf::behavior{[this, self](const PostTweetRequest& x) {
        ++seen[x.author()];
        promises.push_back(self->make_response_promise());
        return promises.back();
      }};
    }),
                 options);
  }

  /// Delivers number `seq` of a stream; the author is the number too.
  void deliver(std::uint64_t delivery, std::uint64_t seq,
               const std::string& reply_to = {},
               const std::string& stream = "0123456789abcdef.0") {
    deliver_as(delivery, stream + '-' + std::to_string(seq), seq, reply_to);
  }
  void deliver_as(std::uint64_t delivery, const std::string& id,
                  std::uint64_t author, const std::string& reply_to = {},
                  bool in_pack = false) {
    PostTweetRequest body;
    body.set_author(author);
    bridge::envelope head;
    head.message_id = id;
    head.reply_to = reply_to;
    uut->deliver(delivery, bridge::encode(head, body), now,
                 {.in_pack = in_pack});
    world.run();
  }

  /// Time passes.
  void check_after(std::chrono::seconds time) {
    now += time;
    CHECK(uut->check(now));
    world.run();
  }

  /// Ends the handler that began as number `index`.
  template <class Answer>
  void answer(std::size_t index, Answer x) {
    promises.at(index).deliver(std::move(x));
    world.run();
  }

  /// Outcomes since the last look, by delivery.
  std::map<std::uint64_t, outcome> outcomes() {
    std::map<std::uint64_t, outcome> result;
    for (const auto& x : settled())
      CHECK(result.emplace(x.delivery, x.result).second);
    return result;
  }
  [[nodiscard]] std::uint64_t duplicates() const {
    return home->counters.duplicates;
  }

  bridge::served_address* uut = nullptr;
  clock::time_point now = clock::now();
  std::map<std::uint64_t, int> seen; // times, by author
  std::vector<caf::response_promise> promises;
};

using outcomes = std::map<std::uint64_t, outcome>;
const auto accepted = outcome::accepted();
const auto failed = outcome::failure();

} // namespace

TEST_CASE("dedupe: what is done is accepted and not handed over again",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7);
  r.answer(0, caf::unit);
  CHECK(r.outcomes() == outcomes{{1, accepted}});
  r.deliver(2, 7, "/queues/me");
  CHECK(r.outcomes() == outcomes{{2, accepted}});
  CHECK(r.seen == std::map<std::uint64_t, int>{{7, 1}});
  CHECK(r.replies().empty()); // the first one answered
  CHECK(r.duplicates() == 1);
}

TEST_CASE("dedupe: a redelivery joins the handler that runs",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7, "/queues/me");
  // The connection broke meanwhile; the broker knows nothing of the first.
  r.deliver(2, 7, "/queues/me");
  r.deliver(3, 7, "/queues/me");
  CHECK(r.outcomes().empty());
  CHECK(r.seen[7] == 1);
  r.answer(0, PostTweetReply{});
  CHECK(r.outcomes() == outcomes{{1, accepted}, {2, accepted}, {3, accepted}});
  CHECK(r.replies().size() == 1);
  CHECK(r.duplicates() == 2);
}

TEST_CASE("dedupe: a redelivery joins its own message only",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7);
  r.deliver(2, 8);
  r.deliver(3, 7, {}, "fedcba9876543210.0");
  r.deliver(4, 8);
  CHECK(r.seen == std::map<std::uint64_t, int>{{7, 2}, {8, 1}});
  r.answer(0, caf::unit);
  CHECK(r.outcomes() == outcomes{{1, accepted}});
  r.answer(1, caf::unit);
  CHECK(r.outcomes() == outcomes{{2, accepted}, {4, accepted}});
  r.answer(2, caf::unit);
  CHECK(r.outcomes() == outcomes{{3, accepted}});
}

TEST_CASE("dedupe: a lower number than the highest is handled",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 100);
  r.answer(0, caf::unit);
  r.deliver(2, 99); // failed elsewhere, and comes late
  r.answer(1, caf::unit);
  CHECK(r.seen == std::map<std::uint64_t, int>{{99, 1}, {100, 1}});
  CHECK(r.duplicates() == 0);
}

TEST_CASE("dedupe: a handler that failed gets it again",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7);
  r.deliver(2, 7); // joins
  r.answer(0, caf::make_error(bridge::errc::failed, "no"));
  CHECK(r.outcomes().empty());
  r.deliver(3, 7); // joins the next attempt
  r.check_after(1s);
  r.answer(1, caf::unit);
  CHECK(r.outcomes() == outcomes{{1, accepted}, {2, accepted}, {3, accepted}});
  CHECK(r.seen[7] == 2);
}

TEST_CASE("dedupe: a copy in a pack does not wait for another attempt",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7);
  const std::string id{"0123456789abcdef.0-7"};
  r.deliver_as(2, id, 7, {}, true); // joins
  r.deliver(3, 7);                  // joins, too
  r.answer(0, caf::make_error(bridge::errc::failed, "no"));
  CHECK(r.outcomes() == outcomes{{2, failed}});
  r.check_after(1s);
  r.answer(1, caf::unit);
  CHECK(r.outcomes() == outcomes{{1, accepted}, {3, accepted}});
}

TEST_CASE("dedupe: an error that somebody waits for is done",
          "[actors][served_address]") {
  rig r;
  r.deliver(1, 7, "/queues/me");
  r.answer(0, caf::make_error(bridge::errc::failed, "no"));
  r.deliver(2, 7, "/queues/me");
  CHECK(r.outcomes() == outcomes{{1, accepted}, {2, accepted}});
  CHECK(r.seen[7] == 1);
  CHECK(r.replies().size() == 1);
}

TEST_CASE("dedupe: a handler that took too long gets it again",
          "[actors][served_address]") {
  bridge::serve_options options;
  options.handler_timeout = 5s;
  rig r{options};
  r.deliver(1, 7);
  r.now += 4s;
  r.deliver(2, 7); // joins: the deadline stays that of the first
  r.check_after(1s);
  CHECK(r.outcomes() == outcomes{{1, failed}, {2, failed}});
  r.deliver(3, 7);
  CHECK(r.seen[7] == 2);
  r.answer(0, caf::unit); // too late to count for the third
  CHECK(r.outcomes().empty());
  r.answer(1, caf::unit);
  CHECK(r.outcomes() == outcomes{{3, accepted}});
}

TEST_CASE("dedupe: what a target held when it ended goes to the next",
          "[actors][served_address]") {
  tests::serving_rig r;
  int made = 0;
  auto make = [&] {
    auto first = ++made == 1;
    return r.world.spawn([=](caf::event_based_actor* self) {
      return caf::behavior{[=](const PostTweetRequest& x) {
        auto promise = self->make_response_promise();
        if (!first)
          promise.deliver(caf::unit);
        else if (x.author() == 1)
          self->quit();
        return promise;
      }};
    });
  };
  auto& uut = r.serve(nullptr, {}, make);
  bridge::envelope head;
  head.message_id = "0123456789abcdef.0-1";
  PostTweetRequest body;
  auto deliver = [&](std::uint64_t delivery, std::uint64_t author) {
    body.set_author(author);
    uut.deliver(delivery, bridge::encode(head, body), clock::now());
  };
  deliver(1, 0);
  r.world.run();
  deliver(2, 0); // joins
  head.message_id = "0123456789abcdef.0-2";
  deliver(3, 1);
  r.world.run();
  CHECK(r.settled().empty());
  deliver(4, 1); // joins what waits for the next target
  CHECK(uut.check(clock::now() + 20s));
  r.world.run();
  auto settled = r.settled();
  REQUIRE(settled.size() == 4);
  for (const auto& x : settled)
    CHECK(x.result == accepted);
}

TEST_CASE("dedupe: each copy of what is refused is refused",
          "[actors][served_address]") {
  rig r;
  for (std::uint64_t delivery : {1, 2}) {
    r.deliver(delivery, 7);
    r.answer(delivery - 1, caf::make_error(caf::sec::unexpected_message));
    CHECK(tests::is_parked(r.outcomes().at(delivery)));
  }
}

TEST_CASE("dedupe: an id that no node made is not looked at",
          "[actors][served_address]") {
  rig r;
  for (const auto* id : {"", "1", "order-17", "other.1-1"}) {
    INFO(id);
    r.seen.clear();
    r.deliver_as(1, id, 1);
    r.deliver_as(2, id, 1);
    CHECK(r.seen[1] == 2);
    for (auto& x : std::exchange(r.promises, {}))
      x.deliver(caf::unit);
    r.world.run();
    CHECK(r.outcomes() == outcomes{{1, accepted}, {2, accepted}});
  }
  CHECK(r.duplicates() == 0);
}

TEST_CASE("dedupe: what is older than the window is handed over",
          "[actors][served_address]") {
  bridge::serve_options options;
  options.dedupe_window = 64;
  rig r{options};
  for (std::uint64_t seq : {1, 2, 65}) {
    r.deliver(seq, seq);
    r.answer(r.promises.size() - 1, caf::unit);
  }
  r.deliver(4, 2); // the oldest in the window
  CHECK(r.seen[2] == 1);
  r.deliver(5, 1); // done or not: natural keys decide
  CHECK(r.seen[1] == 2);
}

TEST_CASE("dedupe: of too many streams the least used is forgotten",
          "[actors][served_address]") {
  bridge::serve_options options;
  options.dedupe_streams_max = 2;
  rig r{options};
  const std::string a = "aaaaaaaaaaaaaaaa.0";
  const std::string b = "bbbbbbbbbbbbbbbb.0";
  const std::string c = "cccccccccccccccc.0";
  r.deliver(1, 7, {}, a);
  r.deliver(2, 7, {}, b);
  r.deliver(3, 7, {}, c); // a's handler runs, but a is forgotten
  r.deliver(4, 7, {}, a);
  CHECK(r.seen[7] == 4);
  for (std::size_t i = 0; i < 4; ++i)
    r.answer(i, caf::unit);
  CHECK(r.outcomes().size() == 4);
  r.deliver(5, 7, {}, a);
  r.deliver(6, 7, {}, c);
  CHECK(r.seen[7] == 4);
}

TEST_CASE("dedupe: can be left out", "[actors][served_address]") {
  bridge::serve_options options;
  options.dedupe_streams_max = 0;
  rig r{options};
  r.deliver(1, 7);
  r.deliver(2, 7);
  CHECK(r.seen[7] == 2);
}
